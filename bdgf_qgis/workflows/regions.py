"""Regions on the rasters that are visible: QGIS reads them at the resolution of the screen, the worker computes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ...model.shared.events import Grown, Segmented
from ...model.shared.jobs import LARGEST_SCALE, SMALLEST_SCALE, GrowJob, SegmentJob, VisiblePixels
from ..engine.errors import BadAnswer, WorkerDied
from ..engine.result_arrays import read_array
from ..engine.run import run_job
from ..engine.worker import Worker, WorkerCommand
from ..feedback import Feedback, RunCancelled
from ..files.workspace import Workspace, sweep_stale
from ..raster.errors import RasterError
from ..raster.grid import Grid, Window
from ..raster.npy import save_array
from ..raster.outline import outline_of
from ..raster.reading.coarser import coarser
from ..raster.reading.projection import longitudes_on
from ..raster.reading.stack import ModalityStack, open_stack
from ..translation import tr
from .raster_inputs import Rasters

_MOST_PIXELS = 1_400_000  # of the visible extent: a canvas of 1500 x 900 pixels and a little more
_MOST_BANDS = 24  # that are looked at, of all rasters together; of more, some spread over each
_STRIP = 256  # rows that are read at once
_LONGEST = 60.0  # seconds that an answer may take


@dataclass(frozen=True)
class Sight:
    """What is visible: an extent in the CRS of the reference grid, and the side of a screen pixel in its units."""

    west: float
    south: float
    east: float
    north: float
    resolution: float


@dataclass(frozen=True)
class GrowSettings:
    """How a region grows: a weight for each raster, () for all alike, and its largest size in pixels of the grid."""

    weights: tuple[float, ...] = ()
    largest: int = 100_000


@dataclass(frozen=True)
class SegmentSettings:
    """How superpixels are made: 'slic' or 'felzenszwalb', their side in pixels of the screen, weights of rasters."""

    method: str = "slic"
    scale: int = 25
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Growth:
    """The regions that grow from one pixel.

    tolerances  float32 (h, w), at which pixels join, in deviations; infinite where never
    transform   GDAL's six numbers of these pixels
    place       row and column of the first pixel
    """

    tolerances: np.ndarray
    transform: tuple[float, float, float, float, float, float]
    place: tuple[int, int]

    def outline(self, tolerance: float) -> bytes:
        """The region of a tolerance as a polygon, WKB in the CRS of the grid. Raises RasterError."""
        least = float(self.tolerances[self.place])
        return outline_of(self.tolerances <= max(tolerance, least), self.transform, self.place)


@dataclass(frozen=True)
class Segments:
    """The superpixels of what is visible: numbers int32 (h, w), -1 where there is no data."""

    sight: Sight
    numbers: np.ndarray
    grid: Grid
    window: Window

    def place_of(self, x: float, y: float) -> Optional[tuple[int, int]]:
        """Row and column of a place in map units of the grid; None where there is no superpixel."""
        place = _place_of(x, y, self.grid, self.window)
        return None if place is None or self.numbers[place] < 0 else place

    def outline(self, place: tuple[int, int]) -> bytes:
        """The superpixel of a pixel as a polygon, WKB in the CRS of the grid. Raises RasterError."""
        return outline_of(self.numbers == self.numbers[place], self.grid.transform_of(self.window), place)


@dataclass(frozen=True)
class _Visible:
    """The pixels of a sight, as the worker has them."""

    sight: Sight
    grid: Grid
    window: Window
    pixels: VisiblePixels
    valid: np.ndarray
    folder: Path
    factor: float


class _While(Feedback):
    """Cancels once something is no longer wanted, or took too long."""

    def __init__(self, wanted: Callable[[], bool]) -> None:
        self.wanted = wanted
        self._end = time.monotonic() + _LONGEST

    def is_cancelled(self) -> bool:
        return not self.wanted() or time.monotonic() > self._end


class RegionSession:
    """The rasters as they are seen, and the worker that finds regions on them. Belongs to one thread.

    What is not wanted any more ends with RunCancelled. Raises RasterError where rasters cannot be used or a place has
    no data, EngineError where the worker cannot do it, FileError or OSError where the disk is full.

    Args:
        rasters: of the scene.
        command: gives what starts the worker.
    """

    def __init__(self, rasters: Rasters, command: Callable[[], WorkerCommand]) -> None:
        self.rasters = rasters
        self._command = command
        self._names: Optional[list[list[str]]] = None
        self._stack: Optional[tuple[float, ModalityStack]] = None
        self._visible: Optional[_Visible] = None
        self._segments: Optional[tuple[SegmentSettings, Segments]] = None
        self._worker: Optional[Worker] = None

    def look(self, sight: Sight, wanted: Callable[[], bool]) -> None:
        """Read what is visible and start the worker, so that answers come at once."""
        self._started()
        self._looked(sight, _While(wanted))

    def grow(self, sight: Sight, x: float, y: float, settings: GrowSettings, wanted: Callable[[], bool]) -> Growth:
        """The regions that grow from a place in map units of the grid."""
        feedback = _While(wanted)
        visible = self._looked(sight, feedback)
        x, _ = longitudes_on(x, x, visible.grid)
        place = _place_of(x, y, visible.grid, visible.window)
        if place is None:
            raise RasterError(tr("This place lies outside of the rasters, or of their overlap."))
        if not visible.valid[place]:
            raise RasterError(tr("There is no data at this place: press where all rasters have data."))
        output = visible.folder / "tolerances.npy"
        largest = max(1, round(settings.largest / visible.factor**2))
        job = GrowJob(visible.pixels, settings.weights, *place, largest, str(output))
        answer = self._asked(job, feedback)
        assert isinstance(answer, Grown)
        try:
            tolerances = read_array(str(output), "float32", (None, None), "its answer")
            own = Window(answer.row, answer.column, *tolerances.shape)
            inner = place[0] - own.row, place[1] - own.column
            inside = 0 <= inner[0] < own.height and 0 <= inner[1] < own.width
            if not inside or not np.isfinite(tolerances[inner]) or np.isnan(tolerances).any():
                raise BadAnswer("its answer holds no region around the place")
        except BadAnswer as error:
            raise self._started().given_up(str(error)) from error
        placed = Window(visible.window.row + own.row, visible.window.column + own.column, own.height, own.width)
        return Growth(tolerances, visible.grid.transform_of(placed), inner)

    def segment(self, sight: Sight, settings: SegmentSettings, wanted: Callable[[], bool]) -> Segments:
        """The superpixels of what is visible; kept for the next call."""
        if self._segments is not None and (self._segments[0], self._segments[1].sight) == (settings, sight):
            return self._segments[1]
        feedback = _While(wanted)
        visible = self._looked(sight, feedback)
        output = visible.folder / "segments.npy"
        scale = round(settings.scale * sight.resolution / min(visible.grid.pixel_size))
        scale = min(max(scale, SMALLEST_SCALE), LARGEST_SCALE)
        job = SegmentJob(visible.pixels, settings.weights, settings.method, scale, str(output))
        answer = self._asked(job, feedback)
        assert isinstance(answer, Segmented)
        try:
            numbers = read_array(str(output), "int32", visible.valid.shape, "its answer")
        except BadAnswer as error:
            raise self._started().given_up(str(error)) from error
        segments = Segments(sight, numbers, visible.grid, visible.window)
        self._segments = settings, segments
        return segments

    def close(self) -> None:
        """End the worker and let go of files; the next question starts anew."""
        self._visible = self._segments = None
        if self._stack is not None:
            self._stack[1].close()
            self._stack = None
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _started(self) -> Worker:
        if self._worker is None:
            command = self._command()
            sweep_stale()
            self._worker = Worker(command, Workspace())
        self._worker.start()
        return self._worker

    def _asked(self, job: Union[GrowJob, SegmentJob], feedback: _While) -> object:
        """The answer to a job, which a worker that is gone is given once more."""
        feedback.check()
        try:
            try:
                return run_job(self._started(), job, feedback)
            except WorkerDied:
                return run_job(self._started(), job, feedback)
        except RunCancelled:
            if not feedback.wanted():
                raise
        text = tr("The worker found no region within {seconds} seconds and was ended: press again, or zoom in.")
        raise WorkerDied(text.format(seconds=round(_LONGEST)))

    def _looked(self, sight: Sight, feedback: Feedback) -> _Visible:
        visible = self._visible
        if visible is None or visible.sight != sight:
            self._visible = self._segments = None
            if visible is not None:
                shutil.rmtree(visible.folder, ignore_errors=True)
            visible = self._visible = self._read(sight, feedback)
        return visible

    def _read(self, sight: Sight, feedback: Feedback) -> _Visible:
        whole = self.rasters.grid.grid
        west, east = longitudes_on(sight.west, sight.east, whole)
        extent = west, sight.south, east, sight.north
        factor = max(1.0, sight.resolution / min(whole.pixel_size))
        count = whole.window_of_extent(*extent).pixels / factor**2
        factor *= max(1.0, (count / _MOST_PIXELS) ** 0.5)
        stack = self._stack_of(factor, feedback)
        window = stack.grid.window_of_extent(*extent).intersection(stack.overlap)
        if window.empty:
            raise RasterError(tr("The rasters are not visible here: move the map to where they overlap."))
        folder = self._started().workspace.job_folder()
        try:
            return self._written(sight, stack, window, folder, factor, feedback)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _written(
        self, sight: Sight, stack: ModalityStack, window: Window, folder: Path, factor: float, feedback: Feedback
    ) -> _Visible:
        shape = window.height, window.width
        arrays = [np.empty((len(modality.bands), *shape), modality.dtype) for modality in stack.modalities]
        valid = np.empty(shape, bool)
        for row in range(window.row, window.row_end, _STRIP):
            feedback.check()
            strip = Window(row, window.column, min(_STRIP, window.row_end - row), window.width)
            rows, columns = strip.slices_in(window)
            values, valid[rows, columns] = stack.read(strip)
            for array, part in zip(arrays, values):
                array[:, rows, columns] = part
        stack.spare_memory()
        paths = tuple(save_array(folder / f"{number}.npy", array) for number, array in enumerate(arrays))
        pixels = VisiblePixels(paths, save_array(folder / "valid.npy", valid))
        return _Visible(sight, stack.grid, window, pixels, valid, folder, factor)

    def _stack_of(self, factor: float, feedback: Feedback) -> ModalityStack:
        """The rasters with pixels as large as `factor` times those of the grid; the last ones are kept open."""
        if self._stack is not None and self._stack[0] == factor:
            return self._stack[1]
        if self._stack is not None:
            self._stack[1].close()
            self._stack = None
        rasters, reference = coarser(self.rasters.modalities, self.rasters.grid, factor)
        if self._names is None:
            with open_stack(rasters, reference, feedback=feedback) as whole:
                self._names = [_spread(modality.band_names, len(rasters)) for modality in whole.modalities]
        stack = open_stack(rasters, reference, self._names, feedback)
        self._stack = factor, stack
        return stack


def _spread(names: tuple[str, ...], rasters: int) -> list[str]:
    """All names of bands or, of many, some at equal distances."""
    most = max(1, _MOST_BANDS // rasters)
    if len(names) <= most:
        return list(names)
    return [names[place] for place in np.linspace(0, len(names) - 1, most).round().astype(int)]


def _place_of(x: float, y: float, grid: Grid, window: Window) -> Optional[tuple[int, int]]:
    """Row and column in a window of the pixel at a place in map units; None outside."""
    west, wide, _, north, _, high = grid.transform_of(window)
    column, row = int((x - west) // wide), int((y - north) // high)
    return (row, column) if 0 <= row < window.height and 0 <= column < window.width else None
