"""Statistics of samples against plain numpy, on a real scene."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.reading.raster import describe
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.bdgf_qgis.raster.samples.statistics import jeffries_matusita, sample_statistics
from bdgf.tests.raster.helpers import UTM, box, make_raster, polygons_of, wkt


def test_means_deviations_and_pixels(scenes: Callable[[str], Path]) -> None:
    folder = scenes("nc_landsat")
    rasters = [describe(str(folder / f"{name}.tif"), name) for name in ("optical", "swir2")]
    polygons, crs = polygons_of(folder / "train_polygons.gpkg")
    with open_stack(rasters) as stack:
        found = sample_statistics(stack, polygons, crs, "class_id")
        labels = rasterise_labels(stack, polygons, crs, "class_id", 0.0)
        arrays, _ = stack.read(stack.grid.window)
    cube = np.concatenate([array.astype(float) for array in arrays])
    for row, label in enumerate(found.classes):
        points = labels.points[labels.points[:, 2] == row]
        values = cube[:, points[:, 0], points[:, 1]]
        assert found.pixels[label.code] == len(points)
        assert found.means[row] == pytest.approx(values.mean(axis=1)), "no class has so many that a sample is taken"
        assert found.deviations[row] == pytest.approx(values.std(axis=1))
    assert [band.wavelength for band in found.bands] == [485, 560, 660, 835, 1650, 2220]
    distances = [pair.distance for pair in found.separability]
    assert distances == sorted(distances) and len(distances) == math.comb(len(found.classes), 2)
    assert all(0 <= distance <= 2 for distance in distances)


def test_the_distance_of_known_distributions() -> None:
    random = np.random.default_rng(0)
    one = random.normal(0, 1, (20_000, 3))
    for shift in (0.0, 1.0, 3.0):
        other = random.normal((shift, 0, 0), 1, (20_000, 3))
        assert jeffries_matusita(one, other) == pytest.approx(2 * (1 - math.exp(-(shift**2) / 8)), abs=0.02)
    wide = random.normal(0, 2, (20_000, 3))
    bhattacharyya = 3 / 2 * math.log((1 + 4) / (2 * math.sqrt(4)))
    assert jeffries_matusita(one, wide) == pytest.approx(2 * (1 - math.exp(-bhattacharyya)), abs=0.02)
    assert jeffries_matusita(one[:2], one[:1]) < 2, "fewer pixels than bands"
    assert jeffries_matusita(np.ones((5, 2)), np.ones((5, 2))) == 0


def test_warnings(tmp_path: Path) -> None:
    image = np.random.default_rng(0).normal(100, 1, (2, 100, 120)).astype(np.float32)
    with open_stack([make_raster(tmp_path / "image.tif", image)]) as stack:
        found = sample_statistics(stack, [box(1, 1, 0, 0, 60, 60), box(2, 2, 70, 70, 4, 4)], wkt(UTM), "class_id")
        said = " ".join(found.warnings)
        for text in (
            "'1' and '2' are hard to tell apart",
            "'2' has only 16 pixels",
            "'1' has only 1 polygon",
            "'1' has 225 times the pixels of '2'",
        ):
            assert text in said
        with pytest.raises(RasterError, match="belong to one class"):
            sample_statistics(stack, [box(1, 1, 0, 0, 60, 60)], wkt(UTM), "class_id")
