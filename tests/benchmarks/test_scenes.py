"""Preset quick on real scenes, through qgis_process: the accuracy wanted of it, and the time it may take.

The suite keeps amazon_landsat_srtm; the others run with `make benchmark`.
"""

from __future__ import annotations

import pytest

from bdgf.tests.benchmarks.accuracy.scene import RASTERS
from bdgf.tests.benchmarks.scene_run import run_scene
from bdgf.tools.qgis_process import QgisProcess

WANTED = {"amazon_landsat_srtm": 0.99, "nc_landsat": 0.88, "trento_lidar": 0.90}  # overall accuracy of preset quick
LONGEST_TRAINING = 120  # seconds, on two CPU cores with nothing beside


def check(name, scenes, tmp_path, **options):
    home, out = tmp_path / "home", tmp_path / "out"
    home.mkdir()
    out.mkdir()
    figures = run_scene(QgisProcess(home), scenes(name), RASTERS[name], out, **options)
    print(f"\n{name}: {figures}")
    assert figures.overall >= WANTED[name]
    return figures


def test_the_plumbing_holds_on_a_real_scene(scenes, tmp_path):
    """Two rasters in two coordinate systems; the classes are easy, so few steps suffice."""
    check("amazon_landsat_srtm", scenes, tmp_path, PRETRAIN_STEPS=40, STEPS=120)


@pytest.mark.benchmark
@pytest.mark.parametrize("name", WANTED)
def test_quick_reaches_what_is_wanted(name, scenes, tmp_path):
    figures = check(name, scenes, tmp_path)
    assert figures.train_seconds <= LONGEST_TRAINING
