"""The dock in the real window, with mouse and keys: from an empty project to a map."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bdgf.tests.gui.real_window import Window, open_window


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Window:
    raise NotImplementedError


def test_the_dock(tmp_path: Path, scenes: Callable[[str], Path]) -> None:
    scene = tmp_path / "scene"
    scene.mkdir()
    for name in ("optical.tif", "swir2.tif"):
        shutil.copyfile(scenes("nc_landsat") / name, scene / name)
    window = open_window(
        tmp_path, "dock.py", 300, BDGF_TEST_SCENE=str(scene), BDGF_PYTHON=sys.executable, OMP_NUM_THREADS="1"
    )
