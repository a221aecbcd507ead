"""A first map from an empty project on the demo scene, in the real window; pictures and map in build/first_map."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.demo.scene import write_scene
from bdgf.tests.gui.real_window import open_window

OUT = Path(__file__).resolve().parents[2] / "build" / "first_map"


@pytest.mark.benchmark
def test_a_first_map(tmp_path: Path) -> None:
    write_scene(str(tmp_path / "scene"), 300, 0)
    window = open_window(
        tmp_path, "first_map.py", 280, BDGF_TEST_SCENE=str(tmp_path / "scene"), BDGF_PYTHON=sys.executable
    )
    told = window.of("first map")
    assert told["ended"][0][0] and told["samples"] > 40
    OUT.mkdir(parents=True, exist_ok=True)
    for name in ("drawn", "mapped"):
        shutil.copyfile(tmp_path / f"{name}.png", OUT / f"{name}.png")
    (OUT / "first_map.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
