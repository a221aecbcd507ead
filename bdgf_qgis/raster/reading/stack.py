"""The rasters of a scene ("modalities") on one grid, read window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Optional, Union

import numpy as np
from osgeo import gdal

from ....model.shared.messages import ModalityInfo, SceneInfo
from ....model.shared.text import plain_text, short_name
from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..grid import Grid, Window
from ..texts import listed, quoted
from .band_check import bands_with_data
from .longitudes import copies_of
from .pixel_size import pixel_metres
from .projection import GridMapping
from .readers import DirectReader, SourcePixels, TurnedReader, WarpedReader
from .source import BandList, RasterSource, bands_of, find_bands, grid_of

_CACHE = 128 * 1024 * 1024  # bytes that GDAL may keep of what was read

Reader = Union[DirectReader, WarpedReader, TurnedReader]


@dataclass(frozen=True)
class Modality:
    """One raster of the scene as it is used.

    bands, band_names  numbers (from 1) and names of the bands in use
    dropped            names of the bands without a valid pixel
    dtype              numpy's name of the type that read() gives
    warped             whether it is warped to the common grid
    paletted           whether its values are classes, never interpolated
    """

    source: RasterSource
    bands: tuple[int, ...]
    band_names: tuple[str, ...]
    dropped: tuple[str, ...]
    dtype: str
    warped: bool
    paletted: bool

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.source.name

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel in all bands."""
        return len(self.bands) * np.dtype(self.dtype).itemsize


class ModalityStack:
    """Rasters on a common grid. Made by open_stack; belongs to one thread, `reopen` gives another thread its own.

    grid        the common grid; grid_name is the name of the raster that gave it
    overlap     window of the grid that holds the overlap of all rasters
    modalities  in the order given
    warnings    what the map maker should know
    """

    def __init__(
        self,
        grid: Grid,
        grid_name: str,
        overlap: Window,
        modalities: tuple[Modality, ...],
        readers: tuple[Reader, ...],
        warnings: tuple[str, ...],
    ) -> None:
        self.grid = grid
        self.grid_name = grid_name
        self.overlap = overlap
        self.modalities = modalities
        self.warnings = warnings
        self._readers = readers
        self._cache_before = gdal.GetCacheUsed()

    def __enter__(self) -> ModalityStack:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel in all modalities, with its validity."""
        return 1 + sum(each.pixel_bytes for each in self.modalities)

    def info(self) -> tuple[ModalityInfo, ...]:
        """The modalities as messages and model files name them."""
        return tuple(
            ModalityInfo(short_name(each.name), each.band_names, each.dtype, each.source.added)
            for each in self.modalities
        )

    def scene_info(self) -> SceneInfo:
        """Where this is."""
        grid = self.grid
        wkt, shape, name = plain_text(grid.wkt), (grid.height, grid.width), short_name(self.grid_name)
        return SceneInfo(wkt, grid.pixel_size, shape, name, pixel_metres(grid))

    def read(self, window: Window) -> tuple[list[np.ndarray], np.ndarray]:
        """Values, per modality (C, h, w) in its own type, and valid pixels, bool (h, w).

        The window may reach beyond the grid. Where a pixel is invalid, all values are 0.
        Raises RasterError where a file cannot be read.
        """
        part = window.intersection(self.overlap)
        if part != window:
            return self._padded(window, part)
        arrays, valid = [], np.ones((window.height, window.width), bool)
        for reader in self._readers:
            array, inside = reader.read(window)
            arrays.append(array)
            valid &= inside
        if not valid.all():
            arrays = [np.where(valid, each, each.dtype.type(0)) for each in arrays]
        return arrays, valid

    def read_valid(self, window: Window) -> np.ndarray:
        """Valid pixels alone, bool (h, w)."""
        part = window.intersection(self.overlap)
        valid = np.zeros((window.height, window.width), bool)
        if not part.empty:
            parts = (reader.read(part)[1] for reader in self._readers)
            valid[part.slices_in(window)] = reduce(np.logical_and, parts)
        return valid

    def forget_blocks(self) -> None:
        """Give back the memory that GDAL keeps of what was read, so that it does not grow with the scene."""
        for reader in self._readers:
            reader.pixels.forget_blocks()

    def spare_memory(self) -> None:
        """Give back what GDAL keeps of what was read, once that is much; to be called between windows."""
        if gdal.GetCacheUsed() - self._cache_before > _CACHE + sum(each.pixels.strip_bytes for each in self._readers):
            for reader in self._readers:
                reader.pixels.forget_all()

    def reopen(self) -> ModalityStack:
        """The same stack with data sets of its own, for another thread."""
        sources = [each.source for each in self.modalities]
        readers = [_reader(each, m.bands, self.grid) for each, m in zip(sources, self.modalities)]
        return ModalityStack(self.grid, self.grid_name, self.overlap, self.modalities, tuple(readers), self.warnings)

    def close(self) -> None:
        """Let go of the files."""
        for reader in self._readers:
            reader.pixels.close()
        self._readers = ()

    def _padded(self, window: Window, part: Window) -> tuple[list[np.ndarray], np.ndarray]:
        shape = (window.height, window.width)
        arrays = [np.zeros((len(each.bands), *shape), each.dtype) for each in self.modalities]
        valid = np.zeros(shape, bool)
        if not part.empty:
            rows, columns = part.slices_in(window)
            inner, valid[rows, columns] = self.read(part)
            for array, values in zip(arrays, inner):
                array[:, rows, columns] = values
        return arrays, valid


def open_stack(
    sources: Sequence[RasterSource],
    grid_source: Optional[RasterSource] = None,
    keep: Optional[Sequence[Sequence[str]]] = None,
    feedback: Feedback = SILENT,
) -> ModalityStack:
    """Rasters on the grid of `grid_source`, or of the first.

    Args:
        sources: one raster a modality.
        grid_source: a raster whose grid rules.
        keep: per modality the names of the bands to use, in this order; none of them is dropped then. Without it,
            all bands that hold a valid pixel in the overlap.
        feedback: looked at where a search for valid pixels takes long; RunCancelled is raised where the user cancels.

    Raises RasterError, naming the layer, where a raster cannot be used, only some rasters have a CRS, they do not
    overlap, a wanted band is missing, or a raster has no valid pixel in the overlap.
    """
    if not sources:
        raise RasterError("Choose at least one raster layer.")
    ruling = grid_source or sources[0]
    grid = grid_of(ruling)
    warnings = _check_references([ruling, *sources])
    bands = [bands_of(each) for each in sources]
    chosen = [each.numbers for each in bands] if keep is None else _kept(sources, bands, keep)
    overlap = _overlap(sources, grid, ruling.name)
    modalities, readers = [], []
    for source, own, numbers in zip(sources, bands, chosen):
        name_of = dict(zip(own.numbers, own.names))
        reader = _reader(source, numbers, grid)
        dropped: tuple[str, ...] = ()
        if keep is None:
            found = bands_with_data(reader.pixels, reader.own_window(overlap), feedback)
            if not found:
                raise RasterError(f"The layer '{source.name}' has no valid pixel where the rasters overlap.")
            dropped = tuple(name_of[number] for number in numbers if number not in found)
        if dropped:
            reader.pixels.close()
            numbers = found
            reader = _reader(source, numbers, grid)
            warnings.append(f"Bands of '{source.name}' without a valid pixel are left out: {listed(dropped)}.")
        names = tuple(name_of[number] for number in numbers)
        pixels, warped = reader.pixels, reader.warped
        modalities.append(Modality(source, tuple(numbers), names, dropped, pixels.dtype.name, warped, pixels.paletted))
        readers.append(reader)
    return ModalityStack(grid, ruling.name, overlap, tuple(modalities), tuple(readers), tuple(warnings))


def _reader(source: RasterSource, bands: Sequence[int], grid: Grid) -> Reader:
    pixels = SourcePixels(source, bands)
    readers: list[Union[DirectReader, WarpedReader]] = []
    for own in copies_of(pixels.grid, grid):
        mapping = GridMapping(own, grid, source.name)
        offset = mapping.offset()
        readers.append(
            WarpedReader(pixels, grid, mapping, source.name) if offset is None else DirectReader(pixels, offset)
        )
    return readers[0] if len(readers) == 1 else TurnedReader(readers)


def _check_references(sources: Sequence[RasterSource]) -> list[str]:
    """The warning where no raster has a CRS; RasterError where only some have one."""
    lacking = [each.name for each in sources if not grid_of(each).wkt]
    if not lacking:
        return []
    if len(lacking) < len(sources):
        raise RasterError(
            f"{quoted(lacking)} without a coordinate reference system cannot be put together with rasters that have "
            "one: set it in the layer's properties (and in the file: Raster, Projections, Assign Projection)."
        )
    return ["The rasters have no coordinate reference system: coordinates are taken as they are."]


def _overlap(sources: Sequence[RasterSource], grid: Grid, grid_name: str) -> Window:
    overlap = grid.window
    for number, source in enumerate(sources):
        own = Window(0, 0, 0, 0)
        for copy in copies_of(grid_of(source), grid):
            own = own.union(GridMapping(copy, grid, source.name).footprint())
        if overlap.intersection(own).empty:
            others = dict.fromkeys([grid_name, *(each.name for each in sources[:number])])
            raise RasterError(
                f"The layer '{source.name}' does not overlap with {quoted(list(others))}: "
                "choose rasters of one place, and check their coordinate reference systems."
            )
        overlap = overlap.intersection(own)
    return overlap


def _kept(
    sources: Sequence[RasterSource], bands: Sequence[BandList], keep: Sequence[Sequence[str]]
) -> list[tuple[int, ...]]:
    if len(keep) != len(sources):
        raise RasterError(f"{len(keep)} rasters are needed, and {len(sources)} are given.")
    chosen = []
    for source, own, names in zip(sources, bands, keep):
        numbers = find_bands(own, names)
        if numbers is None:
            missing = [each for each in dict.fromkeys(names) if each not in own.names] or list(names)
            raise RasterError(f"The layer '{source.name}' lacks bands that are needed: {listed(missing)}.")
        chosen.append(numbers)
    return chosen
