"""Writes the demo scene block by block: optical image, surface model, truth and polygons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from osgeo import ogr, osr

from ..feedback import SILENT, Feedback
from ..files.atomic_file import AtomicFile, commit_together
from ..raster.errors import RasterError
from ..raster.gdal_calls import gdal_errors
from ..raster.grid import Grid, Window
from ..raster.output.outputs import OutputRaster
from ..raster.samples.classes import CODE_FIELD, NAME_FIELD
from .materials import BANDS, CLASSES, WAVELENGTHS
from .polygons import DrawnPolygon, draw_polygons
from .sensors import DSM_PIXEL, DSM_SHIFT, PIXEL, optical, surface, truth
from .town import Town

EPSG = 32632
CORNER = (600_000.0, 5_000_000.0)  # east and north of the scene's upper left corner
LEAST_SIZE = 100  # pixels; smaller scenes do not hold every class
_BLOCK = 240  # pixels


@dataclass(frozen=True)
class DemoScene:
    """Where the files of a demo scene stand."""

    optical: Path
    dsm: Path
    truth: Path
    training: Path
    validation: Path


def scene_in(folder: str) -> DemoScene:
    """The files of a scene in a folder."""
    names = ("optical.tif", "dsm.tif", "truth.tif", "training.gpkg", "validation.gpkg")
    return DemoScene(*(Path(folder) / name for name in names))


def write_scene(
    folder: str,
    size: int,
    seed: int,
    feedback: Feedback = SILENT,
    truth_style: str = "",
    image_style: str = "",
    decorate: Callable[[Path, str], None] = lambda path, table: None,
) -> DemoScene:
    """Makes a scene of `size` x `size` optical pixels.

    Args:
        folder: where its files are written.
        size: side in pixels of 2 m, at least LEAST_SIZE.
        seed: another seed gives another town.
        feedback: told the share that is done, and asked about Cancel.
        truth_style, image_style: the .qml that are put beside the truth and the optical image.
        decorate: is given each GeoPackage and its table before it is put in place.

    Raises RasterError where the scene would be too small, FileError where a file cannot be written, RunCancelled;
    nothing is left then.
    """
    if size < LEAST_SIZE:
        raise RasterError(f"A demo scene has at least {LEAST_SIZE} x {LEAST_SIZE} pixels; {size} were asked for.")
    town = Town(seed)
    scene = scene_in(folder)
    wkt = _wkt()
    grid = Grid(size, size, (CORNER[0], PIXEL, 0.0, CORNER[1], 0.0, -PIXEL), wkt)
    dsm_size = (size * PIXEL - 2 * DSM_SHIFT) // DSM_PIXEL
    east, north = CORNER[0] + DSM_SHIFT, CORNER[1] - DSM_SHIFT
    dsm_grid = Grid(dsm_size, dsm_size, (east, DSM_PIXEL, 0.0, north, 0.0, -DSM_PIXEL), wkt)
    whole, dsm_whole = Window(0, 0, size, size), Window(0, 0, dsm_size, dsm_size)
    names = [f"{each:.0f} nm" for each in WAVELENGTHS]
    with ExitStack() as open_rasters:
        image = OutputRaster(str(scene.optical), grid, whole, BANDS, "uint16", 65_535, names)
        open_rasters.enter_context(image)
        model = OutputRaster(str(scene.dsm), dsm_grid, dsm_whole, 1, "float32", -9999, ["surface height (m)"])
        open_rasters.enter_context(model)
        codes = OutputRaster(str(scene.truth), grid, whole, 1, "uint8", 0, ["class"], CLASSES)
        open_rasters.enter_context(codes)
        jobs = [(image, optical, whole), (model, surface, dsm_whole), (codes, truth, whole)]
        blocks = [(raster, draw, block) for raster, draw, window in jobs for block in window.cells(_BLOCK)]
        for number, (raster, draw, block) in enumerate(blocks):
            feedback.check()
            raster.write(block, draw(town, block))
            feedback.at(number / len(blocks))
        layers = []
        for target, polygons in zip((scene.training, scene.validation), draw_polygons(town, size)):
            layers.append(open_rasters.enter_context(AtomicFile(target)))
            _write_polygons(layers[-1].file, target.stem, polygons, wkt)
            decorate(layers[-1].file, target.stem)
        codes.write_sidecar(".qml", truth_style)
        if image_style:
            image.write_sidecar(".qml", image_style)
        feedback.check()
        commit_together([image, model, codes, *layers])
    feedback.at(1.0)
    return scene


def _wkt() -> str:
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(EPSG)
    return str(reference.ExportToWkt())


def _write_polygons(path: Path, table: str, polygons: Sequence[DrawnPolygon], wkt: str) -> None:
    """A GeoPackage of the polygons, in place of the empty temporary file."""
    path.unlink()
    names = {each.code: each.name for each in CLASSES}
    with gdal_errors(f"{path} cannot be written", strict=True) as calls:
        dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
        calls.require(dataset)
        layer = dataset.CreateLayer(table, osr.SpatialReference(wkt), ogr.wkbPolygon)
        layer.CreateField(ogr.FieldDefn(CODE_FIELD, ogr.OFTInteger))
        layer.CreateField(ogr.FieldDefn(NAME_FIELD, ogr.OFTString))
        for polygon in polygons:
            feature = ogr.Feature(layer.GetLayerDefn())
            feature[CODE_FIELD], feature[NAME_FIELD] = polygon.code, names[polygon.code]
            feature.SetGeometry(_geometry(polygon.corners))
            layer.CreateFeature(feature)
        layer = dataset = None


def _geometry(corners: np.ndarray) -> ogr.Geometry:
    ring = ogr.Geometry(ogr.wkbLinearRing)
    for row, column in [*corners, corners[0]]:
        ring.AddPoint_2D(CORNER[0] + float(column), CORNER[1] - float(row))
    polygon = ogr.Geometry(ogr.wkbPolygon)
    polygon.AddGeometry(ring)
    return polygon
