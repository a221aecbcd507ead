"""The rasters of a scene ("modalities") on one grid, read window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Optional

import numpy as np
from osgeo import gdal

from ....model.shared.infos import ModalityInfo, SceneInfo
from ....model.shared.text import short_name
from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..grid import Grid, Window
from ..texts import listed, quoted
from .projection import GridMapping, mappings_of
from .raster import Raster
from .readers import Reader, reader_of
from .source import SourcePixels, bands_with_data

_CACHE = 128 * 1024 * 1024  # bytes that GDAL may keep of what was read


@dataclass(frozen=True)
class Modality:
    """One raster of the scene as it is used.

    bands, band_names  numbers (from 1) and names of the bands in use
    dtype              numpy's name of the type that read() gives
    warped             whether it is warped to the common grid
    paletted           whether its values are classes, never interpolated
    """

    raster: Raster
    bands: tuple[int, ...]
    band_names: tuple[str, ...]
    dtype: str
    warped: bool
    paletted: bool

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.raster.name

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel in all bands."""
        return len(self.bands) * np.dtype(self.dtype).itemsize


class ModalityStack:
    """Rasters on a common grid. Made by open_stack; belongs to one thread, `reopen` gives another thread its own.

    reference   the raster that gives the common grid
    overlap     window of the grid that holds the overlap of all rasters
    modalities  in the order given
    warnings    what the map maker should know
    """

    def __init__(
        self,
        reference: Raster,
        overlap: Window,
        modalities: tuple[Modality, ...],
        readers: tuple[Reader, ...],
        warnings: tuple[str, ...],
    ) -> None:
        self.reference = reference
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
    def grid(self) -> Grid:
        """The common grid."""
        return self.reference.grid

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel in all modalities, with its validity."""
        return 1 + sum(modality.pixel_bytes for modality in self.modalities)

    def info(self) -> tuple[ModalityInfo, ...]:
        """The modalities as messages and model files name them."""
        return tuple(
            ModalityInfo(short_name(modality.name), modality.band_names, modality.dtype, modality.raster.added)
            for modality in self.modalities
        )

    def scene_info(self) -> SceneInfo:
        """Where this is."""
        return self.reference.scene_info()

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
        readers = tuple(
            reader_of(
                SourcePixels(modality.raster, modality.bands),
                mappings_of(modality.raster.grid, self.grid, modality.name),
            )
            for modality in self.modalities
        )
        return ModalityStack(self.reference, self.overlap, self.modalities, readers, self.warnings)

    def close(self) -> None:
        """Let go of the files."""
        for reader in self._readers:
            reader.pixels.close()
        self._readers = ()

    def _padded(self, window: Window, part: Window) -> tuple[list[np.ndarray], np.ndarray]:
        shape = (window.height, window.width)
        arrays = [np.zeros((len(modality.bands), *shape), modality.dtype) for modality in self.modalities]
        valid = np.zeros(shape, bool)
        if not part.empty:
            rows, columns = part.slices_in(window)
            inner, valid[rows, columns] = self.read(part)
            for array, values in zip(arrays, inner):
                array[:, rows, columns] = values
        return arrays, valid


def open_stack(
    rasters: Sequence[Raster],
    reference: Optional[Raster] = None,
    keep: Optional[Sequence[Sequence[str]]] = None,
    feedback: Feedback = SILENT,
) -> ModalityStack:
    """Rasters on the grid of `reference`, or of the first.

    Args:
        rasters: one a modality.
        reference: a raster whose grid rules.
        keep: per modality the names of the bands to use, in this order; none of them is dropped then. Without it,
            all bands that hold a valid pixel in the overlap.
        feedback: looked at where a search for valid pixels takes long; RunCancelled is raised where the user cancels.

    Raises RasterError, naming the layer, where a raster cannot be used, only some rasters have a CRS, they do not
    overlap, a wanted band is missing, or a raster has no valid pixel in the overlap.
    """
    if not rasters:
        raise RasterError("Choose at least one raster layer.")
    reference = reference or rasters[0]
    warnings = _check_references([reference, *rasters])
    chosen = _chosen(rasters, keep)
    mappings = [mappings_of(raster.grid, reference.grid, raster.name) for raster in rasters]
    overlap = _overlap(rasters, mappings, reference)
    modalities, readers = [], []
    for raster, numbers, places in zip(rasters, chosen, mappings):
        pixels = SourcePixels(raster, numbers)
        reader = reader_of(pixels, places)
        if keep is None:
            found = bands_with_data(pixels, reader.own_window(overlap), feedback)
            if not found:
                raise RasterError(f"The layer '{raster.name}' has no valid pixel where the rasters overlap.")
            pixels.use(found)
        dropped = tuple(raster.bands[number - 1].name for number in numbers if number not in pixels.bands)
        if dropped:
            warnings.append(f"Bands of '{raster.name}' without a valid pixel are left out: {listed(dropped)}.")
        names = tuple(raster.bands[number - 1].name for number in pixels.bands)
        modalities.append(Modality(raster, pixels.bands, names, pixels.dtype.name, reader.warped, pixels.paletted))
        readers.append(reader)
    return ModalityStack(reference, overlap, tuple(modalities), tuple(readers), tuple(warnings))


def _check_references(rasters: Sequence[Raster]) -> list[str]:
    """The warning where no raster has a CRS; RasterError where only some have one."""
    lacking = [raster.name for raster in rasters if not raster.grid.wkt]
    if not lacking:
        return []
    if len(lacking) < len(rasters):
        raise RasterError(
            f"{quoted(lacking)} without a coordinate reference system cannot be put together with rasters that have "
            "one: set it in the layer's properties (and in the file: Raster, Projections, Assign Projection)."
        )
    return ["The rasters have no coordinate reference system: coordinates are taken as they are."]


def _overlap(rasters: Sequence[Raster], mappings: Sequence[Sequence[GridMapping]], reference: Raster) -> Window:
    overlap = reference.grid.window
    for number, (raster, places) in enumerate(zip(rasters, mappings)):
        own = reduce(Window.union, (mapping.footprint() for mapping in places))
        if overlap.intersection(own).empty:
            others = dict.fromkeys([reference.name, *(other.name for other in rasters[:number])])
            raise RasterError(
                f"The layer '{raster.name}' does not overlap with {quoted(list(others))}: "
                "choose rasters of one place, and check their coordinate reference systems."
            )
        overlap = overlap.intersection(own)
    return overlap


def _chosen(rasters: Sequence[Raster], keep: Optional[Sequence[Sequence[str]]]) -> list[tuple[int, ...]]:
    """Numbers of the bands to use, per raster."""
    if keep is None:
        return [tuple(band.number for band in raster.data) for raster in rasters]
    if len(keep) != len(rasters):
        raise RasterError(f"{len(keep)} rasters are needed, and {len(rasters)} are given.")
    chosen = []
    for raster, names in zip(rasters, keep):
        numbers = raster.find_bands(names)
        if numbers is None:
            missing = [name for name in dict.fromkeys(names) if name not in raster.band_names] or list(names)
            raise RasterError(f"The layer '{raster.name}' lacks bands that are needed: {listed(missing)}.")
        chosen.append(numbers)
    return chosen
