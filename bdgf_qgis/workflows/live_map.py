"""The live map: what Train (preset instant, HOLDOUT 0) and then Classify make of the samples, over what is visible.

It is their very code, so that the map on the screen is the one that they would write.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np
from osgeo import gdal
from qgis.core import QgsCoordinateReferenceSystem, QgsRectangle

from ...model.shared.header import ModelFile
from ...model.shared.infos import ClassInfo
from ...model.shared.settings import PRESETS
from ..feedback import Feedback
from ..raster.grid import Grid
from .classify import SceneToMap, classify_scene
from .model_files import opened_model
from .polygon_inputs import DrawnPolygons
from .raster_inputs import Rasters, window_of
from .train import Training, train_model

MOST_PIXELS = 1_000_000  # of the grid, that are mapped at once
PRESET = "instant"


@dataclass(frozen=True)
class LiveRequest:
    """Samples over rasters, and the part of the grid to map, in its reference system."""

    rasters: Rasters
    samples: DrawnPolygons
    extent: QgsRectangle
    device: str

    @property
    def pixels(self) -> int:
        """Of the grid in the extent. Raises RasterError where there are none."""
        window = window_of(self.extent, self.rasters.grid.grid)
        return 0 if window is None else window.pixels


@dataclass(frozen=True, eq=False)
class LiveAnswer:
    """A map of a part of the grid.

    codes       (h, w) class codes, `nodata` where nothing is mapped
    confidence  float32 (h, w), NaN where nothing is mapped
    colours     #rrggbb of each class code
    grid        of the arrays
    crs         of the grid's layer
    fitted      whether a model was fitted for it, or the one before served
    """

    codes: np.ndarray
    confidence: np.ndarray
    nodata: int
    colours: dict[int, str]
    grid: Grid
    crs: QgsCoordinateReferenceSystem
    fitted: bool


class LiveMap:
    """Answers requests one after another, in one thread; keeps the model while rasters and samples stay the same."""

    def __init__(self) -> None:
        self._folder: Optional[tempfile.TemporaryDirectory[str]] = None
        self._fitted: Optional[tuple[Rasters, DrawnPolygons]] = None
        self._model: Optional[ModelFile] = None

    def answer(self, request: LiveRequest, feedback: Feedback) -> LiveAnswer:
        """The map. Raises QgsProcessingException, with what to do, where there is none or it was cancelled."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="bdgf-live-")
        folder = Path(self._folder.name)
        fits = self._model is None or self._fitted != (request.rasters, request.samples)
        if fits:
            self._model = None
            model = str(folder / "model.safetensors")
            train_model(
                Training(
                    request.rasters,
                    request.samples,
                    PRESETS[PRESET],
                    request.device,
                    seed=0,
                    holdout=0.0,
                    model=model,
                    remembered=False,
                ),
                feedback.part(0.0, 0.8),
            )
            self._model = opened_model(model, ("classifier",))
            self._fitted = request.rasters, request.samples
        assert self._model is not None
        output, confidence = str(folder / "map.tif"), str(folder / "confidence.tif")
        wanted = SceneToMap(self._model, request.rasters, request.device, output, confidence, extent=request.extent)
        mapped = classify_scene(wanted, feedback.part(0.8, 1.0))
        return _read(output, confidence, mapped.header.classes, request.rasters.crs, fits)

    def close(self) -> None:
        """Let go of the model and of the files."""
        self._model = self._fitted = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _read(
    output: str, confidence: str, classes: Sequence[ClassInfo], crs: QgsCoordinateReferenceSystem, fitted: bool
) -> LiveAnswer:
    dataset = gdal.Open(output)
    grid = Grid(dataset.RasterXSize, dataset.RasterYSize, dataset.GetGeoTransform(), dataset.GetProjection())
    nodata = int(dataset.GetRasterBand(1).GetNoDataValue())
    codes = dataset.ReadAsArray()
    sure = gdal.Open(confidence).ReadAsArray()
    return LiveAnswer(codes, sure, nodata, {info.code: info.colour for info in classes}, grid, crs, fitted)
