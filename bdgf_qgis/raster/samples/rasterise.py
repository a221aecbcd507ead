"""Which pixels polygons cover: those whose centre lies inside; of a polygon too thin for that, those it touches.

A centre on an edge belongs to the polygon whose inside lies to its right or below, so that of two polygons with a
common border exactly one covers it. What a polygon covers does not hang on the window asked for, and memory hangs on
the window alone: not on how long, how large or how many the polygons are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..gdal_calls import gdal_errors
from ..grid import Window
from .shapes import Shape, polygon_geometry

NO_POLYGON, DISPUTED = -1, -2  # in place of a value: none covers the pixel, or several with different values
_CROSSINGS = 1_000_000  # of edges with rows of pixels, that are looked at together
_BOUND = 2**40  # pixels; beyond it a box is taken to end
_THIN_ROWS = 64  # of a polygon that may be thin, looked at first; then twice as many
_THIN_CROSSINGS = 500_000  # of its edges with rows, that are looked at together

Cell = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Runs:
    """Covered pixels as runs along rows, arrays (N,): polygon, row, first column, column after the last; in no order.

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

    thin is the number of polygons that cover the pixels they touch.
    """

    def __init__(self, shapes: Sequence[Shape], area: Window, feedback: Feedback = SILENT) -> None:
        self._shapes = shapes
        bounds = np.array([shape.bounds for shape in shapes]).reshape(-1, 4)
        bounds = np.floor(np.clip(bounds, -_BOUND, _BOUND)).astype(np.int64)
        self._left, self._top, self._right, self._bottom = bounds.T
        self._strip: Optional[tuple[Window, np.ndarray, np.ndarray]] = None
        nothing = np.empty(0, np.int64)
        thin, rows, columns = [nothing], [nothing], [nothing]
        for number in self._members(area):
            feedback.check()
            if is_thin(shapes[number], feedback):
                row, column = _touched_pixels(shapes[number], area, feedback)
                thin.append(np.full(len(row), number))
                rows.append(row)
                columns.append(column)
        self._touched = np.concatenate(thin), np.concatenate(rows), np.concatenate(columns)
        self.thin = len(np.unique(self._touched[0]))

    def windows(self, area: Window, side: int) -> Iterator[Window]:
        """The cells of an area, see Window.cells, in which some polygon may cover pixels."""
        for row in area.cell_starts(side)[0]:
            strip = Window(row, area.column, side, area.width).intersection(area)
            members = np.array(self._members(strip), np.int64)
            for cell in strip.cells(side):
                if ((self._left[members] < cell.column_end) & (self._right[members] >= cell.column)).any():
                    yield cell

    def runs(self, window: Window, some: Optional[np.ndarray] = None) -> Iterator[Runs]:
        """What the polygons, or only those of a mask (n,), cover of a window; piece by piece, each polygon in one."""
        edges, owners = self._edges(window)
        chosen = (self._left < window.column_end) & (self._right >= window.column)
        if some is not None:
            chosen &= some
        mine = chosen[owners]
        edges, owners = edges[mine], owners[mine]
        start, counts = _rows_crossed(edges, window.row, window.row_end)
        for piece in _pieces(owners, counts):
            runs = _runs(edges[piece], owners[piece], start[piece], counts[piece], window)
            if len(runs.row):
                yield runs
        polygon, row, column = self._touched
        inside = (row >= window.row) & (row < window.row_end) & (column >= window.column) & (column < window.column_end)
        inside &= chosen[polygon]
        if inside.any():
            column = column[inside] - window.column
            yield Runs(polygon[inside], row[inside] - window.row, column, column + 1)

    def mask(self, window: Window) -> np.ndarray:
        """Pixels covered by any of the polygons, bool (h, w)."""
        changes = np.zeros(window.height * (window.width + 1), np.int64)
        for runs in self.runs(window):
            changes += _changes_along_rows(runs, window)
        covered: np.ndarray = _as_pixels(changes, window) > 0
        return covered

    def agreed(self, window: Window, values: np.ndarray) -> np.ndarray:
        """The value on which all polygons agree that cover a pixel, int64 (h, w); NO_POLYGON or DISPUTED elsewhere.

        Takes the number of polygons at each pixel, the sum and the sum of squares of their values: all are alike where
        the squares sum up to no more than that of their mean, however many polygons there are.

        Args:
            window: the pixels.
            values: whole numbers (n,) from 0, of each polygon.
        """
        count, total, squares = np.zeros((3, window.height * (window.width + 1)))
        for runs in self.runs(window):
            own = values[runs.polygon].astype(float)
            count += _changes_along_rows(runs, window)
            total += _changes_along_rows(runs, window, own)
            squares += _changes_along_rows(runs, window, own**2)
        count, total, squares = (_as_pixels(sums, window).astype(np.int64) for sums in (count, total, squares))
        covered = np.maximum(count, 1)
        value = total // covered
        alike = (value * count == total) & (value**2 * count == squares)
        result: np.ndarray = np.where(count == 0, NO_POLYGON, np.where(alike, value, DISPUTED))
        return result

    def covering(self, window: Window, pixels: np.ndarray, some: np.ndarray) -> np.ndarray:
        """Which polygons of a mask (n,) cover any of the pixels, bool (h, w), of a window: bool (n,)."""
        before = np.zeros((window.height, window.width + 1), np.int64)
        np.cumsum(pixels, axis=1, out=before[:, 1:])
        covering = np.zeros(len(some), bool)
        for runs in self.runs(window, some):
            hit = before[runs.row, runs.end] > before[runs.row, runs.first]
            covering[runs.polygon[hit]] = True
        return covering

    def _members(self, window: Window) -> list[int]:
        """Polygons whose box meets a window."""
        meets = (self._top < window.row_end) & (self._bottom >= window.row)
        meets &= (self._left < window.column_end) & (self._right >= window.column)
        members: list[int] = np.flatnonzero(meets).tolist()
        return members

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


def is_thin(shape: Shape, feedback: Feedback = SILENT) -> bool:
    """Whether no pixel centre at all lies inside, neither on the grid nor off it."""
    window = shape.window
    row, rows, most = window.row, _THIN_ROWS, max(1, _THIN_CROSSINGS // len(shape.edges))
    while row < window.row_end:
        feedback.check()
        end = min(window.row_end, row + min(rows, most))
        if _holds_centre(shape, row, end):
            return False
        row, rows = end, 2 * rows
    return True


def _changes_along_rows(runs: Runs, window: Window, values: Optional[np.ndarray] = None) -> np.ndarray:
    """Where runs begin and end, ((w + 1) h,): their values (N,), or 1, added there and taken away; see _as_pixels()."""
    width, size = window.width + 1, window.height * (window.width + 1)
    begin = np.bincount(runs.row * width + runs.first, values, size)
    changes: np.ndarray = begin - np.bincount(runs.row * width + runs.end, values, size)
    return changes


def _as_pixels(changes: np.ndarray, window: Window) -> np.ndarray:
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
    edge, row, column = _crossings(edges, start, counts)
    column = np.clip(column, window.column, window.column_end).astype(np.int64) - window.column
    across = window.width + 1
    places = np.sort((owners[edge] * window.height + row - window.row) * across + column)
    line, first = np.divmod(places[0::2], across)
    end = places[1::2] - line * across
    some = end > first
    line, first, end = line[some], first[some], end[some]
    return Runs(line // window.height, line % window.height, first, end)


def _rows_crossed(edges: np.ndarray, row: int, row_end: int) -> tuple[np.ndarray, np.ndarray]:
    """First row, and number of rows, (E,) of some rows whose middle each edge (E, 4: x1, y1, x2, y2) crosses."""
    start = np.clip(np.ceil(np.minimum(edges[:, 1], edges[:, 3]) - 0.5), row, row_end).astype(np.int64)
    end = np.clip(np.ceil(np.maximum(edges[:, 1], edges[:, 3]) - 0.5), row, row_end).astype(np.int64)
    return start, end - start


def _crossings(edges: np.ndarray, start: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All crossings (N,) of edges with the rows that _rows_crossed() gives: edge, row, and the first column, as a
    float, whose pixel has its centre there or to the right."""
    edge = np.repeat(np.arange(len(counts)), counts)
    row = start[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    x1, y1, x2, y2 = edges[edge].T
    x = x1 + (row + 0.5 - y1) * ((x2 - x1) / (y2 - y1))
    return edge, row, np.ceil(x - 0.5)


def _touched_pixels(shape: Shape, area: Window, feedback: Feedback = SILENT) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels of an area of which a polygon without a pixel centre covers some part; where it
    has no area, of those through which it runs."""
    edges = shape.edges[_near(shape.edges, area)]
    cells = {cell for edge in edges for cell in _crossed(edge.tolist(), area)}
    covered = set()
    for cell in cells:
        feedback.check()
        if _shares_area(shape, *cell):
            covered.add(cell)
    found = covered if covered or shape.geometry.GetArea() > 0 else cells
    places = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    return places[:, 0], places[:, 1]


def _holds_centre(shape: Shape, row: int, row_end: int) -> bool:
    """Whether the centre of a pixel in some rows lies inside."""
    _, rows, columns = _crossings(shape.edges, *_rows_crossed(shape.edges, row, row_end))
    columns = columns[np.lexsort((columns, rows))]
    return bool((columns[1::2] > columns[0::2]).any())


def _near(edges: np.ndarray, area: Window) -> np.ndarray:
    """Which edges' boxes meet an area."""
    x1, y1, x2, y2 = edges.T
    near = (np.maximum(x1, x2) >= area.column) & (np.minimum(x1, x2) <= area.column_end)
    near &= (np.maximum(y1, y2) >= area.row) & (np.minimum(y1, y2) <= area.row_end)
    return near


def _crossed(edge: Sequence[float], area: Window) -> list[Cell]:
    """Pixels (row, column) of an area through which an edge (x1, y1, x2, y2) runs."""
    x1, y1, x2, y2 = edge
    cuts = [np.array([0.0, 1.0])]
    for first, second, begin, end in ((x1, x2, area.column, area.column_end), (y1, y2, area.row, area.row_end)):
        low, high = max(min(first, second), begin), min(max(first, second), end)
        lines = np.arange(np.ceil(low), np.floor(high) + 1)
        if first != second:
            cuts.append((lines - first) / (second - first))
    along = np.unique(np.concatenate(cuts))
    middle = (along[:-1] + along[1:]) / 2
    rows, columns = np.floor(y1 + middle * (y2 - y1)), np.floor(x1 + middle * (x2 - x1))
    inside = (rows >= area.row) & (rows < area.row_end) & (columns >= area.column) & (columns < area.column_end)
    return list(zip(rows[inside].astype(int).tolist(), columns[inside].astype(int).tolist()))


def _shares_area(shape: Shape, row: int, column: int) -> bool:
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) + np.array([column, row])
    try:
        with gdal_errors("geometry"):
            common = shape.geometry.Intersection(polygon_geometry([[square]]))
            return common is None or common.GetArea() > 0
    except RasterError:
        return True
