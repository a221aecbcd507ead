"""Class positions of a scene's labelled pixels, window by window, kept in little memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from ..grid import Window

NONE = -1  # no label
_TYPE = np.dtype(np.int32)


class LabelMap:
    """Class positions of pixels, NONE without a label, in the cells of a lattice (see Window.cells).

    Args:
        area: the pixels that may have one.
        side: of the cells.
    """

    def __init__(self, area: Window, side: int) -> None:
        self._area = area
        self._side = side
        self._cells: dict[Window, bytes] = {}

    def put(self, cell: Window, positions: np.ndarray) -> None:
        """Keep the positions (h, w) of a cell of the area."""
        self._cells[cell] = zlib.compress(np.ascontiguousarray(positions, _TYPE).tobytes(), 1)

    def cells(self) -> Iterator[tuple[Window, np.ndarray]]:
        """The cells that were put, in that order, with their positions."""
        for cell in self._cells:
            yield cell, self._positions(cell)

    def read(self, window: Window) -> np.ndarray:
        """Class positions, int32 (h, w), of any window."""
        result = np.full((window.height, window.width), NONE, _TYPE)
        inside = window.intersection(self._area)
        for part in [] if inside.empty else inside.cells(self._side):
            row, column = part.row // self._side * self._side, part.column // self._side * self._side
            cell = Window(row, column, self._side, self._side).intersection(self._area)
            if cell in self._cells:
                result[part.slices_in(window)] = self._positions(cell)[part.slices_in(cell)]
        return result

    def _positions(self, cell: Window) -> np.ndarray:
        data = np.frombuffer(zlib.decompress(self._cells[cell]), _TYPE)
        positions: np.ndarray = data.reshape(cell.height, cell.width)
        return positions
