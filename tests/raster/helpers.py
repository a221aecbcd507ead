"""Small rasters and polygons with known content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from osgeo import gdal, gdal_array, ogr, osr

from bdgf.bdgf_qgis.raster.grid import Window
from bdgf.bdgf_qgis.raster.reading.raster import Raster, describe
from bdgf.bdgf_qgis.raster.samples.rasterise import PolygonRaster
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon, Shape

UTM = 32633
TRANSFORM = (400_000.0, 10.0, 0.0, 5_800_000.0, 0.0, -10.0)


def wkt(epsg: int | None) -> str:
    if epsg is None:
        return ""
    reference = osr.SpatialReference()
    assert reference.ImportFromEPSG(epsg) == 0
    return reference.ExportToWkt()


def make_raster(
    path: Path,
    array: np.ndarray,
    transform: Sequence[float] | None = TRANSFORM,
    epsg: int | None = UTM,
    nodata: float | None = None,
    names: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Raster:
    """A GeoTIFF of an array (C, H, W) or (H, W), described."""
    write_raster(path, array, transform, epsg, nodata, names, options)
    return describe(str(path), path.stem)


def write_raster(
    path: Path,
    array: np.ndarray,
    transform: Sequence[float] | None = TRANSFORM,
    epsg: int | None = UTM,
    nodata: float | None = None,
    names: Sequence[str] = (),
    options: Sequence[str] = (),
) -> None:
    """The same, as a file alone: also one that cannot be used."""
    planes = array if array.ndim == 3 else array[None]
    kind = gdal_array.NumericTypeCodeToGDALTypeCode(planes.dtype)
    size = planes.shape[2], planes.shape[1], planes.shape[0]
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), *size, kind, list(options))
    if transform is not None:
        dataset.SetGeoTransform(transform)
    if epsg is not None:
        dataset.SetProjection(wkt(epsg))
    for number, plane in enumerate(planes, 1):
        band = dataset.GetRasterBand(number)
        if nodata is not None:
            band.SetNoDataValue(nodata)
        if number <= len(names):
            band.SetDescription(names[number - 1])
        band.WriteArray(plane)
    dataset = None


def again(raster: Raster) -> Raster:
    """A raster whose file was changed, described anew."""
    return describe(raster.path, raster.name)


def ring_wkb(*rings: Sequence[tuple[float, float]]) -> bytes:
    """A polygon of rings of points; the first is the outer one."""
    polygon = ogr.Geometry(ogr.wkbPolygon)
    for points in rings:
        ring = ogr.Geometry(ogr.wkbLinearRing)
        for x, y in [*points, points[0]]:
            ring.AddPoint_2D(x, y)
        polygon.AddGeometry(ring)
    return bytes(polygon.ExportToWkb())


def box(
    fid: int,
    value: int | float | str | None,
    column: float,
    row: float,
    width: float,
    height: float,
    transform: Sequence[float] = TRANSFORM,
    name: str | None = None,
) -> Polygon:
    """A rectangle given in pixels of a grid, in map coordinates."""
    west, wide, _, north, _, high = transform
    x, y = (west + wide * column, west + wide * (column + width)), (north + high * row, north + high * (row + height))
    return Polygon(fid, ring_wkb([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]), value, name)


def polygons_of(path: Path, field: str = "class_id") -> tuple[list[Polygon], str]:
    """Polygons of a file and the CRS of their coordinates."""
    dataset = ogr.Open(str(path))
    layer = dataset.GetLayer(0)
    reference = layer.GetSpatialRef()
    polygons = [
        Polygon(each.GetFID(), bytes(each.GetGeometryRef().ExportToWkb()), each.GetField(field)) for each in layer
    ]
    return polygons, reference.ExportToWkt() if reference is not None else ""


def mask_of(shapes: Sequence[Shape], window: Window) -> np.ndarray:
    """Pixels that any of some polygons covers, bool (h, w)."""
    return PolygonRaster(shapes, window).mask(window)


def pixels_of(shape: Shape, window: Window) -> tuple[np.ndarray, np.ndarray, bool]:
    """Rows and columns that a polygon covers inside a window, and whether it is a thin one."""
    polygons = PolygonRaster([shape], window)
    rows, columns = np.nonzero(polygons.mask(window))
    return rows + window.row, columns + window.column, bool(polygons.thin)
