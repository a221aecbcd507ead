"""What our rasters say of themselves, and what is refused or doubted because of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.output.metadata import KIND, POLYGONS, RASTERS, Lineage, read_lineage, write_class_table
from bdgf.bdgf_qgis.raster.reading.raster import Raster, check_no_result, doubts
from bdgf.model.shared.infos import MOST_DIGESTS, ClassInfo, TrainingPolygons
from bdgf.tests.raster.helpers import again, make_raster

DRAWN = TrainingPolygons(3, (7, 2**64 - 1), ("wald", "1"))
CLASSES = (ClassInfo(1, "wood", "#00ff00"),)


def marked(path: Path, metadata: dict[str, str], classes: tuple[ClassInfo, ...] = ()) -> Raster:
    """A raster with some metadata, and an attribute table where it has classes."""
    source = make_raster(path, np.ones((20, 20), np.uint8))
    dataset = gdal.Open(source.path, gdal.GA_Update)
    dataset.SetMetadata(metadata)
    if classes:
        write_class_table(dataset, classes)
    dataset = None
    return again(source)


@pytest.mark.parametrize("driver", ["GTiff", "COG"])
def test_lineage_survives_copies_by_gdal(tmp_path: Path, driver: str) -> None:
    wanted = Lineage("classes", "ab" * 32, "1.0", ("Bild", "dsm"), DRAWN)
    source = marked(tmp_path / "map.tif", wanted.metadata())
    copy = gdal.Translate(str(tmp_path / "copy.tif"), source.path, format=driver, srcWin=[2, 2, 10, 10])
    assert read_lineage(copy) == wanted


def test_a_virtual_raster_of_ours_is_ours(tmp_path: Path) -> None:
    image = make_raster(tmp_path / "image.tif", np.ones((20, 20), np.uint8))
    result = marked(tmp_path / "map.tif", Lineage("classes", polygons=DRAWN).metadata())
    for names, wanted in (([image.path], None), ([image.path, result.path], Lineage("classes", polygons=DRAWN))):
        virtual = gdal.BuildVRT(str(tmp_path / f"{len(names)}.vrt"), names, separate=True)
        assert read_lineage(virtual) == wanted


def test_what_is_broken_counts_as_not_said(tmp_path: Path) -> None:
    drawn = {"count": 1, "digests": [-1], "values": []}
    many = {"count": 1, "digests": [1] * (MOST_DIGESTS + 1), "values": []}
    for polygons in ("", "[", "[" * 100_000, "null", json.dumps(drawn), json.dumps(many)):
        source = marked(tmp_path / "map.tif", {KIND: "classes", POLYGONS: polygons, RASTERS: '["a\\ud800"]'})
        assert read_lineage(gdal.Open(source.path)) == Lineage("classes"), polygons[:80]
    assert read_lineage(gdal.Open(marked(tmp_path / "odd.tif", {KIND: "picture"}).path)) is None


@pytest.mark.parametrize("kind", ["classes", "confidence", "probabilities"])
def test_results_are_no_images(tmp_path: Path, kind: str) -> None:
    image = make_raster(tmp_path / "image.tif", np.ones((20, 20), np.uint8))
    result = marked(tmp_path / "result.tif", Lineage(kind).metadata())
    check_no_result([image])
    with pytest.raises(RasterError, match=rf"The layer 'result' is .*{kind[:5]}.* BDGF wrote.*untick it"):
        check_no_result([image, result])


def test_a_class_raster_without_lineage_is_known_by_our_table_and_others_are_doubted(tmp_path: Path) -> None:
    older = marked(tmp_path / "older.tif", {}, CLASSES)
    with pytest.raises(RasterError, match="The layer 'older' is a class raster"):
        check_no_result([older])
    image = make_raster(tmp_path / "image.tif", np.ones((3, 20, 20), np.uint8))
    named, tabled = (make_raster(tmp_path / f"{name}.tif", np.ones((20, 20), np.uint8)) for name in ("named", "tabled"))
    dataset = gdal.Open(named.path, gdal.GA_Update)
    dataset.GetRasterBand(1).SetCategoryNames(["none", "wood"])
    dataset = gdal.Open(tabled.path, gdal.GA_Update)
    write_class_table(dataset, CLASSES)
    dataset.SetMetadata({})
    dataset = None
    named, tabled = again(named), again(tabled)
    assert doubts([image]) == []
    (said,) = doubts([image, named, tabled])
    assert "'named', 'tabled'" in said and "untick it" in said
    check_no_result([image, named, tabled])
