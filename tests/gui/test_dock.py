"""The dock in the real window, with mouse and keys: from an empty project to a map."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bdgf.tests.gui.real_window import open_window


def test_from_an_empty_project_to_a_map(tmp_path: Path, scenes: Callable[[str], Path]) -> None:
    (scene := tmp_path / "scene").mkdir()
    nc_landsat = scenes("nc_landsat")
    for name in ("optical.tif", "swir2.tif"):
        shutil.copyfile(nc_landsat / name, scene / name)
    window = open_window(
        tmp_path, "dock.py", 300, BDGF_TEST_SCENE=str(scene), BDGF_PYTHON=sys.executable, OMP_NUM_THREADS="1"
    )
    assert window.of("scene") == {"name": "scene", "offered": ["optical", "swir2"], "ticked": 2}
    layer = window.of("layer")
    assert layer["path"].startswith(str(tmp_path / "profiles/profiles/default/bdgf/samples/samples "))
    assert (layer["field"], layer["crs"], layer["hint"]) == ("class_id", "EPSG:3358", "Add a class to draw with.")
    assert window.of("classes")["rows"] == [[1, "Water"], [2, "Trees"], [3, "Grass"]]
    tools = "polygon", "rectangle", "lasso", "brush", "pixel", "grow", "segment"
    for code, name in zip((1, 2, 3, 1, 2, 3, 1), tools, strict=True):
        drawn = window.of(name)
        ((of_class, role, area),) = drawn["added"]
        assert (of_class, role) == (code, "train") and drawn["chosen"] and drawn["undone"], name
    ((_, _, area),) = window.of("pixel")["added"]
    assert area == pytest.approx((0.98 * 28.5) ** 2, abs=1), "one pixel of the rasters"
    ((_, _, area),) = window.of("taken back")["added"]
    assert area > 0 and window.of("given up")["added"] == 0
    assert window.of("reclassified")["codes"] == [3]
    assert window.of("counts")["rows"] == [["Water", 1, 4], ["Trees", 2, 2], ["Grass", 3, 2]]
    assert window.of("statistics")["pixels"] and window.of("statistics")["pairs"] == 3
    assert window.of("live")["text"].startswith("Fitted") and window.of("live again")["text"].startswith("Mapped")
    saved = window.of("saved")
    assert not saved["modified"] and saved["editable"] and saved["written"] == 8
    for number in (1, 2):
        done = window.of(f"round {number}")
        assert done["ended"][0][0] and done["shown"] == 1
        assert [name.split()[0] for name in done["order"]] == ["samples", "BDGF", "swir2", "optical"]
    assert window.of("history")["rounds"] == [["instant", True, True]] * 2 and window.of("history")["different"] == 2
