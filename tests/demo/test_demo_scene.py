"""The demo scene: frozen, the same from blocks of any size, and hard in the way it is meant to be."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from osgeo import gdal, ogr

from bdgf.bdgf_qgis.demo import sensors
from bdgf.bdgf_qgis.demo.materials import CLASSES, MATERIAL_OF, reflectance
from bdgf.bdgf_qgis.demo.scene import DemoScene, write_scene
from bdgf.bdgf_qgis.demo.town import Town
from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.grid import Window
from bdgf.tests.engine.helpers import Recorder

FROZEN = {
    "optical": "b3b38df9fb3a1d74",
    "dsm": "8038d5aee3cadfa0",
    "truth": "372e22689c4ba747",
}
FROZEN_POLYGONS = {"training": "cadd5c133d490a9b", "validation": "7147d89766eabe3a"}


def make(folder, size=300, seed=0) -> DemoScene:
    return write_scene(str(folder), size, seed)


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> DemoScene:
    return make(tmp_path_factory.mktemp("demo"))


def pixels(path) -> np.ndarray:
    return gdal.Open(str(path)).ReadAsArray()


def labels(path, like) -> np.ndarray:
    """Polygons rasterised by GDAL alone."""
    source = gdal.Open(str(like))
    raster = gdal.GetDriverByName("MEM").Create("", source.RasterXSize, source.RasterYSize, 1, gdal.GDT_Byte)
    raster.SetGeoTransform(source.GetGeoTransform())
    raster.SetProjection(source.GetProjection())
    polygons = ogr.Open(str(path))
    gdal.RasterizeLayer(raster, [1], polygons.GetLayer(), options=["ATTRIBUTE=class_id"])
    return raster.ReadAsArray()


@pytest.mark.parametrize("name", FROZEN)
def test_the_scene_is_frozen(scene, name):
    assert hashlib.sha256(pixels(getattr(scene, name)).tobytes()).hexdigest()[:16] == FROZEN[name]


@pytest.mark.parametrize("name", FROZEN_POLYGONS)
def test_the_polygons_are_frozen(scene, name):
    """Class and corners to the decimetre, in the order of the file."""
    source = ogr.Open(str(getattr(scene, name)))
    drawn = []
    for feature in source.GetLayer():
        corners = feature.geometry().GetGeometryRef(0).GetPoints()
        drawn.append((feature["class_id"], [(round(x, 1), round(y, 1)) for x, y, *_ in corners]))
    assert hashlib.sha256(repr(drawn).encode()).hexdigest()[:16] == FROZEN_POLYGONS[name]


def test_any_block_draws_the_same_pixels():
    town = Town(3)
    for draw in (sensors.optical, sensors.surface, sensors.truth):
        whole = draw(town, Window(0, 0, 150, 170))
        part = draw(Town(3), Window(61, 77, 40, 50))
        assert np.array_equal(whole[..., 61:101, 77:127], part)


def test_another_seed_is_another_town():
    window = Window(0, 0, 60, 60)
    assert not np.array_equal(sensors.truth(Town(0), window), sensors.truth(Town(1), window))


def test_rasters_lie_on_grids_of_their_own(scene):
    optical, dsm = gdal.Open(str(scene.optical)), gdal.Open(str(scene.dsm))
    assert (optical.RasterCount, dsm.RasterCount) == (24, 1)
    assert optical.GetGeoTransform()[1] == 2 and dsm.GetGeoTransform()[1] == 3
    assert dsm.GetGeoTransform()[0] < optical.GetGeoTransform()[0]
    assert (dsm.GetGeoTransform()[0] - optical.GetGeoTransform()[0]) % 3 != 0
    assert optical.GetRasterBand(1).GetDescription() == "450 nm"


def test_pairs_of_classes_share_a_material():
    assert MATERIAL_OF[1] == MATERIAL_OF[2] and MATERIAL_OF[3] == MATERIAL_OF[4] and MATERIAL_OF[5] == MATERIAL_OF[6]
    curves = reflectance()
    assert curves.min() > 0 and curves.max() < 0.6


def test_polygons_lie_on_their_class_and_apart(scene):
    truth = pixels(scene.truth)
    training, validation = labels(scene.training, scene.optical), labels(scene.validation, scene.optical)
    for drawn in (training, validation):
        assert set(np.unique(drawn[drawn > 0])) == {each.code for each in CLASSES}
        assert (truth[drawn > 0] == drawn[drawn > 0]).mean() > 0.99
    rows, columns = np.nonzero(training)
    near = np.zeros(training.shape, bool)
    for row, column in zip(rows, columns, strict=True):
        near[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = True
    assert not (near & (validation > 0)).any()


def test_a_forest_on_single_pixels_is_neither_helpless_nor_enough(scene):
    from sklearn.ensemble import RandomForestClassifier

    optical = gdal.Open(str(scene.optical))
    left, size, _, top, _, _ = optical.GetGeoTransform()
    bounds = (left, top - size * 300, left + size * 300, top)
    dsm = gdal.Warp(
        "", str(scene.dsm), format="MEM", outputBounds=bounds, width=300, height=300, resampleAlg="bilinear"
    )
    bands = np.concatenate([optical.ReadAsArray(), dsm.ReadAsArray()[None]]).reshape(25, -1).T
    training = labels(scene.training, scene.optical).ravel()
    validation = labels(scene.validation, scene.optical).ravel()

    def accuracy(columns) -> float:
        forest = RandomForestClassifier(200, random_state=0, n_jobs=2)
        forest.fit(bands[training > 0][:, columns], training[training > 0])
        return (forest.predict(bands[validation > 0][:, columns]) == validation[validation > 0]).mean()

    both = accuracy(slice(None))
    assert 0.65 < both < 0.88
    assert accuracy(slice(0, 24)) < both and accuracy(slice(24, 25)) < 0.5


def test_a_scene_too_small_or_cancelled_leaves_nothing(tmp_path):
    with pytest.raises(RasterError, match="at least 100"):
        make(tmp_path / "small", size=50)

    with pytest.raises(RunCancelled):
        write_scene(str(tmp_path / "cut"), 300, 0, Recorder(lambda recorder: len(recorder.bar) > 3))
    assert not list(tmp_path.rglob("*.*"))
