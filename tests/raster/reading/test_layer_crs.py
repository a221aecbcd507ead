"""A CRS that the user gave a layer in QGIS rules over the file's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from osgeo import gdal, osr

from bdgf.bdgf_qgis.raster.reading.raster import describe
from bdgf.bdgf_qgis.raster.reading.stack import open_stack


def utm(zone: int) -> str:
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32600 + zone)
    return reference.ExportToWkt()


def write(path: Path, wkt: str = "") -> Path:
    raster = gdal.GetDriverByName("GTiff").Create(str(path), 40, 40, 1, gdal.GDT_Byte)
    raster.SetGeoTransform((500_000, 10, 0, 5_000_000, 0, -10))
    if wkt:
        raster.SetProjection(wkt)
    raster.GetRasterBand(1).WriteArray(np.full((40, 40), 7, np.uint8))
    return path


def test_a_file_without_a_crs_takes_the_layers(tmp_path):
    bare, placed = write(tmp_path / "bare.tif"), write(tmp_path / "placed.tif", utm(32))
    source = describe(str(bare), "bare", wkt=utm(32))
    assert osr.SpatialReference(source.grid.wkt).IsSame(osr.SpatialReference(utm(32)))
    with open_stack([describe(str(placed), "placed"), source]) as stack:
        arrays, valid = stack.read(stack.overlap)
        assert valid.all() and (arrays[1] == 7).all() and not stack.warnings


def test_another_crs_moves_the_raster(tmp_path):
    path = write(tmp_path / "wrong.tif", utm(33))
    right = describe(str(path), "right", wkt=utm(32))
    with open_stack([describe(str(write(tmp_path / "base.tif", utm(32))), "base"), right]) as stack:
        assert stack.overlap.height == stack.overlap.width == 40
