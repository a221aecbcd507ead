"""Thirty suggested pixels are worth more than thirty random ones of the same ground."""

from __future__ import annotations

import numpy as np
import pytest

from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.tests.benchmarks.accuracy.scene import Samples, find_scene
from bdgf.tests.benchmarks.accuracy.validation_log import ValidationLog
from bdgf.tests.benchmarks.suggesting.pixel_maps import PixelMaps
from bdgf.tests.benchmarks.suggesting.rounds import RANDOM, RULE, rounds

DRAWS = 10


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["nc_landsat", "trento_lidar", "slovenia_ndvi_dem"])
def test_suggested_pixels_are_worth_more_than_random_ones(name, scenes, tmp_path):
    scene = find_scene(str(scenes(name)), tmp_path)
    training = scene.training_samples()
    validation = scene.validation_samples(ValidationLog(tmp_path / "log", tmp_path / "uses.md"), ["suggesting"])
    found: dict[str, list[float]] = {}
    with open_stack(scene.sources(), scene.sources()[0]) as stack:
        everything = Samples((*training.polygons, *validation.polygons), training.crs_wkt)
        maps = PixelMaps(stack, everything, tmp_path / "pretrained")
        for draw in range(DRAWS):
            for one in rounds(stack, maps, training, validation, draw, [RANDOM, RULE]):
                found.setdefault(one.choice, []).append(one.overall)
    ahead = np.subtract(found[RULE], found[RANDOM])
    print({choice: round(float(np.mean(figures)), 4) for choice, figures in found.items()}, ahead.round(4))
    assert ahead.mean() > 0
