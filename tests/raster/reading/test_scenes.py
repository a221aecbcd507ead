"""The real scenes: their labelled pixels are counted elsewhere, which is an exact check of the whole way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bdgf.bdgf_qgis.raster.reading.raster import describe
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.tests.raster.helpers import polygons_of

SCENES = {
    "amazon_landsat_srtm": (("optical", "dem_epsg4326_derived"), 1315, 3095),
    "potsdam_enmap": (("vnir", "swir"), 1488, 3476),
    "trento_lidar": (("lidar_height", "lidar_intensity"), 7803, 18212),
    "nc_landsat": (("optical", "swir2"), 530, 1304),
}


@pytest.mark.parametrize("name", SCENES)
def test_valid_labelled_pixels(scenes: Callable[[str], Path], name: str) -> None:
    folder = scenes(name)
    rasters, *counts = SCENES[name]
    with open_stack([describe(str(folder / f"{each}.tif"), each) for each in rasters]) as stack:
        for part, count in zip(("train", "validation"), counts, strict=True):
            polygons, crs = polygons_of(folder / f"{part}_polygons.gpkg")
            labels = rasterise_labels(stack, polygons, crs, "class_id", holdout=0)
            assert len(labels.points) == len(labels.training) == count


def test_text_classes_give_the_same_pixels(scenes: Callable[[str], Path]) -> None:
    folder = scenes("amazon_landsat_srtm")
    with open_stack([describe(str(folder / "optical.tif"), "optical")]) as stack:
        by_code, by_name = (
            rasterise_labels(stack, *polygons_of(folder / "train_polygons.gpkg", field), field)
            for field in ("class_id", "class_name")
        )
    assert [each.value for each in by_name.classes] == sorted(each.value for each in by_name.classes)
    assert (by_code.points[:, :2] == by_name.points[:, :2]).all()


def test_a_dem_warped_away_and_back_is_nearly_itself(scenes: Callable[[str], Path]) -> None:
    folder = scenes("amazon_landsat_srtm")
    sources = [describe(str(folder / f"{each}.tif"), each) for each in ("dem", "dem_epsg4326_derived")]
    with open_stack(sources) as stack:
        arrays, valid = stack.read(stack.grid.window)
    assert [each.warped for each in stack.modalities] == [False, True]
    difference = (arrays[0][0].astype(int) - arrays[1][0])[valid]
    assert valid.mean() > 0.99 and abs(difference.mean()) < 0.05 and difference.std() < 1.5


def test_rasters_whose_native_grids_differ(scenes: Callable[[str], Path]) -> None:
    folder = scenes("olinda_unlabelled")
    with open_stack([describe(str(folder / f"{each}.tif"), each) for each in ("optical", "dem")]) as stack:
        arrays, valid = stack.read(stack.grid.window)
        assert [each.warped for each in stack.modalities] == [False, True] and valid.mean() > 0.95
    with open_stack([describe(str(folder / "dem.tif"), "dem")]) as alone:
        coarse, _ = alone.read(alone.grid.window)
    rows, columns = (np.floor((np.arange(n) + 0.5) * 28.5 / 89.994).astype(int) for n in valid.shape)
    inside = rows < coarse[0].shape[1]
    nearest = coarse[0][0][np.ix_(rows[inside], columns)]
    assert np.corrcoef(nearest[valid[inside]], arrays[1][0][inside][valid[inside]])[0, 1] > 0.98
