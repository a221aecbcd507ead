"""What fusion is worth: on the demo scene both rasters together against the better one alone, same preset."""

from __future__ import annotations

import pytest

from bdgf.tests.benchmarks.scene_run import run_scene
from bdgf.tools.qgis_process import QgisProcess

GAIN = 0.10


@pytest.mark.benchmark
def test_both_rasters_beat_the_better_one(tmp_path):
    home, scene = tmp_path / "home", tmp_path / "scene"
    home.mkdir()
    qgis = QgisProcess(home)
    qgis.run("bdgf:createdemoscene", {"FOLDER": scene, "SIZE": 300, "SEED": 0})
    overall = {}
    for rasters in (("optical.tif", "dsm.tif"), ("optical.tif",), ("dsm.tif",)):
        out = tmp_path / "-".join(rasters)
        out.mkdir()
        polygons = {"training": "training.gpkg", "validation": "validation.gpkg"}
        figures = run_scene(qgis, scene, rasters, out, **polygons)
        print(f"\n{' + '.join(rasters)}: {figures}")
        overall[rasters] = figures.overall
    both = overall.pop(("optical.tif", "dsm.tif"))
    assert both >= max(overall.values()) + GAIN
