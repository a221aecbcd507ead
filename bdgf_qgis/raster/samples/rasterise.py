"""Which pixels polygons claim: those whose centre lies inside; of a polygon too thin for that, those it touches.

A centre on an edge belongs to the polygon whose inside lies to its right or below, so that of two polygons with a
common border exactly one claims it. What a polygon claims does not hang on the window asked for, and memory hangs on
the window alone: not on how long, how large or how many the polygons are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ...feedback import SILENT, Feedback
from ..grid import Window
from .crossings import crossings, rows_crossed
from .shapes import Shape
from .thin import is_thin, touched

_CROSSINGS = 1_000_000  # of edges with rows of pixels, that are looked at together
_BOUND = 2**40  # pixels; beyond it a box is taken to end


@dataclass(frozen=True, eq=False)
class Runs:
    """Claimed pixels as runs along rows, arrays (N,): polygon, row, first column, column after the last; in no order.

    Rows and columns count from the first pixel of the window asked for. No run is empty, and those of one polygon do
    not overlap.
    """

    polygon: np.ndarray
    row: np.ndarray
    first: np.ndarray
    end: np.ndarray


class PolygonRaster:
    """Polygons of which windows are rasterised.

    Args:
        shapes: the polygons; runs() names them by their position.
        area: no pixel outside is ever asked for.
        feedback: looked at for each polygon; RunCancelled is raised where the user cancels.

    thin is the number of polygons that claim the pixels they touch.
    """

    def __init__(self, shapes: Sequence[Shape], area: Window, feedback: Feedback = SILENT) -> None:
        self._shapes = shapes
        bounds = np.array([each.bounds for each in shapes]).reshape(-1, 4)
        bounds = np.floor(np.clip(bounds, -_BOUND, _BOUND)).astype(np.int64)
        self._left, self._top, self._right, self._bottom = bounds.T
        self._strip: Optional[tuple[Window, np.ndarray, np.ndarray]] = None
        nothing = np.empty(0, np.int64)
        thin, rows, columns = [nothing], [nothing], [nothing]
        for number in self._members(area):
            feedback.check()
            if is_thin(shapes[number], feedback):
                row, column = touched(shapes[number], area, feedback)
                thin.append(np.full(len(row), number))
                rows.append(row)
                columns.append(column)
        self._touched = np.concatenate(thin), np.concatenate(rows), np.concatenate(columns)
        self.thin = len(np.unique(self._touched[0]))

    def windows(self, area: Window, side: int) -> Iterator[Window]:
        """The cells of an area, see Window.cells, in which some polygon may claim pixels."""
        for row in area.cell_starts(side)[0]:
            strip = Window(row, area.column, side, area.width).intersection(area)
            members = np.array(self._members(strip), np.int64)
            for cell in strip.cells(side):
                if ((self._left[members] < cell.column_end) & (self._right[members] >= cell.column)).any():
                    yield cell

    def runs(self, window: Window, some: Optional[np.ndarray] = None) -> Iterator[Runs]:
        """What the polygons, or only those of a mask (n,), claim of a window; piece by piece, each polygon in one."""
        edges, owners = self._edges(window)
        chosen = (self._left < window.column_end) & (self._right >= window.column)
        if some is not None:
            chosen &= some
        mine = chosen[owners]
        edges, owners = edges[mine], owners[mine]
        start, counts = rows_crossed(edges, window.row, window.row_end)
        for piece in _pieces(owners, counts):
            found = _runs(edges[piece], owners[piece], start[piece], counts[piece], window)
            if len(found.row):
                yield found
        polygon, row, column = self._touched
        inside = (row >= window.row) & (row < window.row_end) & (column >= window.column) & (column < window.column_end)
        inside &= chosen[polygon]
        if inside.any():
            column = column[inside] - window.column
            yield Runs(polygon[inside], row[inside] - window.row, column, column + 1)

    def mask(self, window: Window) -> np.ndarray:
        """Pixels claimed by any of the polygons, bool (h, w)."""
        changes = np.zeros(window.height * (window.width + 1), np.int64)
        for runs in self.runs(window):
            changes += changes_along_rows(runs, window)
        covered: np.ndarray = as_pixels(changes, window) > 0
        return covered

    def _members(self, window: Window) -> list[int]:
        """Polygons whose box meets a window."""
        meets = (self._top < window.row_end) & (self._bottom >= window.row)
        meets &= (self._left < window.column_end) & (self._right >= window.column)
        found: list[int] = np.flatnonzero(meets).tolist()
        return found

    def _edges(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Edges (E, 4) that cross rows of a window, by polygon, and the polygon (E,) of each.

        Those of the last rows asked for are kept: windows come row by row.
        """
        strip = self._strip
        if strip is None or (strip[0].row, strip[0].height) != (window.row, window.height):
            edges, owners = [np.empty((0, 4))], [np.empty(0, np.int64)]
            for number in np.flatnonzero((self._top < window.row_end) & (self._bottom >= window.row)).tolist():
                own = self._shapes[number].edges
                y1, y2 = own[:, 1], own[:, 3]
                own = own[(np.minimum(y1, y2) < window.row_end) & (np.maximum(y1, y2) > window.row)]
                edges.append(own)
                owners.append(np.full(len(own), number))
            strip = self._strip = window, np.concatenate(edges), np.concatenate(owners)
        return strip[1], strip[2]


def changes_along_rows(runs: Runs, window: Window, values: Optional[np.ndarray] = None) -> np.ndarray:
    """Where runs begin and end, ((w + 1) h,): their values (N,), or 1, added there and taken away; see as_pixels()."""
    width, size = window.width + 1, window.height * (window.width + 1)
    begin = np.bincount(runs.row * width + runs.first, values, size)
    changes: np.ndarray = begin - np.bincount(runs.row * width + runs.end, values, size)
    return changes


def as_pixels(changes: np.ndarray, window: Window) -> np.ndarray:
    """The sum (h, w) of the runs that cover each pixel."""
    totals: np.ndarray = changes.reshape(window.height, window.width + 1).cumsum(axis=1)[:, :-1]
    return totals


def _pieces(owners: np.ndarray, counts: np.ndarray) -> Iterator[slice]:
    """Edges of so many polygons at a time that memory is bounded; those of a polygon stay together."""
    total = np.concatenate([[0], np.cumsum(counts)])
    firsts = np.flatnonzero(np.diff(owners, prepend=-1))
    begin = 0
    while begin < len(owners):
        fitting = firsts[(firsts > begin) & (total[firsts] - total[begin] <= _CROSSINGS)]
        following = firsts[firsts > begin]
        end = len(owners)
        if total[-1] - total[begin] > _CROSSINGS and len(following):
            end = int(fitting[-1] if len(fitting) else following[0])
        yield slice(begin, end)
        begin = end


def _runs(edges: np.ndarray, owners: np.ndarray, start: np.ndarray, counts: np.ndarray, window: Window) -> Runs:
    """Runs between the crossings of each polygon with each row, taken in pairs from the left."""
    edge, row, column = crossings(edges, start, counts)
    column = np.clip(column, window.column, window.column_end).astype(np.int64) - window.column
    across = window.width + 1
    places = np.sort((owners[edge] * window.height + row - window.row) * across + column)
    line, first = np.divmod(places[0::2], across)
    end = places[1::2] - line * across
    some = end > first
    line, first, end = line[some], first[some], end[some]
    return Runs(line // window.height, line % window.height, first, end)
