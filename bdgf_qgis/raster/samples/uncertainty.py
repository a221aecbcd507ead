"""How sure a map is of each pixel, read block by block beside its classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ..errors import RasterError
from ..grid import Grid, Window
from ..reading.projection import GridMapping
from ..reading.raster import Raster, check_is_class_raster
from ..reading.source import SourcePixels

UNKNOWN = -1  # in place of the code of a second class
_SIDE, _LEAST_SIDE = 1024, 256  # of the squares that are read at once, pixels
_BYTES = 64 * 1024 * 1024  # of their values, about
_ROUNDING = 1e-3  # by which a share may lie outside 0 to 1


@dataclass(frozen=True, eq=False)
class UncertainBlock:
    """The mapped pixels of a window, arrays (N,), row by row.

    place        their positions in the window, counted along its rows
    codes        class of the map, int64
    uncertainty  0 to 1: one less the margin between the two likeliest classes, or one less the confidence; float32
    second       the likeliest class beside that of the map, int64; UNKNOWN where the rasters do not tell
    """

    window: Window
    place: np.ndarray
    codes: np.ndarray
    uncertainty: np.ndarray
    second: np.ndarray


class UncertainMap:
    """A class raster with its probabilities or, where there are none, its confidence.

    With probabilities the margin decides (best versus second best: Scheffer et al. 2001).

    Args:
        classification: the class raster.
        confidence: shares of 0 to 1 on the same grid.
        probabilities: a band of shares for each class on the same grid.

    Raises RasterError, naming the layer, where one is of another kind or lies on another grid, or both are None.
    """

    def __init__(
        self, classification: Raster, confidence: Optional[Raster] = None, probabilities: Optional[Raster] = None
    ) -> None:
        check_is_class_raster(classification)
        told = probabilities if probabilities is not None else confidence
        if told is None:
            raise RasterError("Nothing says how sure the map is: choose the confidence or the probabilities of it.")
        _check_kind(told, "confidence" if probabilities is None else "probabilities")
        _check_grid(told, classification)
        self.grid: Grid = classification.grid
        self._name = classification.name
        self._told = told
        self._codes = np.array(_band_codes(told, classification), np.int64)
        self._classes = SourcePixels(classification, [1])
        self._shares = SourcePixels(told, [band.number for band in told.data])

    def windows(self, window: Window) -> list[Window]:
        """The squares of a window of the grid in which it is read."""
        room = (_BYTES / (4 * len(self._told.data))) ** 0.5
        side = min(_SIDE, max(_LEAST_SIDE, int(room) // _LEAST_SIDE * _LEAST_SIDE))
        return list(window.cells(side))

    def read(self, window: Window) -> UncertainBlock:
        """The pixels of a window that have a class and a share.

        Raises RasterError, naming the layer, where a file cannot be read, or holds what is no class or no share.
        """
        values, valid = self._classes.read(window)
        shares, told = self._shares.read(window)
        for pixels in (self._classes, self._shares):
            pixels.forget_blocks()
        place = np.flatnonzero(valid & told)
        codes = self._whole(values[0].ravel()[place])
        shares = shares.reshape(len(shares), -1)[:, place].astype(np.float32, copy=False)
        if shares.size and (shares.min() < -_ROUNDING or shares.max() > 1 + _ROUNDING):
            strange = shares.min() if shares.min() < -_ROUNDING else shares.max()
            raise RasterError(
                f"'{self._told.name}' holds {strange:g}, and how sure a map is lies between 0 and 1: choose the raster "
                "that Classify wrote beside the map."
            )
        if len(shares) == 1:
            return UncertainBlock(window, place, codes, 1 - shares[0], np.full(len(place), UNKNOWN, np.int64))
        first, second, margin = _two_likeliest(shares)
        other = np.full(len(place), UNKNOWN, np.int64)
        if len(self._codes):
            other = np.where(self._codes[first] == codes, self._codes[second], self._codes[first])
        return UncertainBlock(window, place, codes, 1 - margin, other)

    def close(self) -> None:
        """Let go of the files."""
        self._classes.close()
        self._shares.close()

    def _whole(self, values: np.ndarray) -> np.ndarray:
        codes: np.ndarray = values.astype(np.int64)
        if values.dtype.kind == "f" and (codes != values).any():
            raise RasterError(
                f"'{self._name}' holds fractions such as {values[codes != values][0]:g}, and class codes are whole "
                "numbers: choose a class raster."
            )
        return codes


def _check_kind(told: Raster, kind: str) -> None:
    """Raise RasterError where a raster is not the confidence or the probabilities that it should be."""
    advice = f"choose the {kind} that Classify wrote beside the map."
    if told.lineage is not None and told.lineage.kind != kind:
        raise RasterError(f"'{told.name}' is {told.lineage.words}, not its {kind}: {advice}")
    bands = len(told.data)
    if kind == "confidence" and bands != 1:
        raise RasterError(f"'{told.name}' has {bands} bands, and a confidence has one: {advice}")
    if kind == "probabilities" and bands < 2:
        raise RasterError(f"'{told.name}' has one band, and probabilities have one for each class: {advice}")


def _check_grid(told: Raster, classification: Raster) -> None:
    grid, own = classification.grid, told.grid
    alike = (own.width, own.height) == (grid.width, grid.height)
    if not alike or GridMapping(own, grid, told.name).offset() != (0, 0):
        raise RasterError(
            f"'{told.name}' and '{classification.name}' lie on different grids: choose rasters of one run of Classify."
        )


def _band_codes(told: Raster, classification: Raster) -> Sequence[int]:
    """The class code of each band of probabilities, by its name, else by its place; none where that is not known."""
    table, names = classification.classes, told.band_names
    codes = {info.name: info.code for info in table}
    if len(codes) == len(table) and len(set(names)) == len(names) and set(names) <= set(codes):
        return [codes[name] for name in names]
    return [info.code for info in table] if len(table) == len(names) else []


def _two_likeliest(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bands of the highest and the second highest share, and by how much they differ, each (N,), of (C, N)."""
    best, following = shares[0].copy(), np.full(shares.shape[1], -1.0, np.float32)
    first, second = np.zeros((2, shares.shape[1]), np.int64)
    for band, share in enumerate(shares[1:], 1):
        ahead, beside = share > best, share > following
        np.copyto(second, np.where(ahead, first, band), where=beside)
        np.copyto(following, np.minimum(best, share), where=beside)
        np.copyto(first, band, where=ahead)
        np.copyto(best, share, where=ahead)
    return first, second, best - following
