"""The synthetic scene that speed is measured on: as many bands and as unruly as a satellite image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from osgeo import gdal, osr

BANDS = 10
CLASSES = 8
_STRIP = 256  # rows that are made at once
_PERIODS = np.linspace(30, 400, BANDS)  # pixels


def pixels(first: int, rows: int, side: int) -> np.ndarray:
    """Rows of the scene from `first` on, (BANDS, rows, side) uint16: waves of several lengths, with noise."""
    random = np.random.default_rng(first)
    row, column = np.arange(first, first + rows)[:, None], np.arange(side)[None, :]
    waves = [np.sin(row / period) + np.cos((column + row / 3) / period) for period in _PERIODS]
    noise = random.normal(0, 120, (BANDS, rows, side))
    found: np.ndarray = (2000 + 600 * np.stack(waves) + noise).clip(0, 10_000).astype(np.uint16)
    return found


def write_scene(path: Path, side: int) -> None:
    """The scene of `side` x `side` pixels as a tiled, compressed GeoTIFF of pixels of 10 metres."""
    gdal.UseExceptions()
    try:
        _write(path, side)
    finally:
        gdal.DontUseExceptions()  # tests that follow hear GDAL's errors as QGIS does


def _write(path: Path, side: int) -> None:
    options = ["TILED=YES", "COMPRESS=LZW", "PREDICTOR=2", "NUM_THREADS=ALL_CPUS"]
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), side, side, BANDS, gdal.GDT_UInt16, options)
    system = osr.SpatialReference()
    system.ImportFromEPSG(32632)
    dataset.SetProjection(system.ExportToWkt())
    dataset.SetGeoTransform((500_000, 10, 0, 5_500_000, 0, -10))
    for first in range(0, side, _STRIP):
        rows = min(_STRIP, side - first)
        for band, plane in enumerate(pixels(first, rows, side), 1):
            dataset.GetRasterBand(band).WriteArray(plane, 0, first)
    dataset.FlushCache()
