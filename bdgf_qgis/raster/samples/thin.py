"""Polygons too thin to hold the centre of any pixel, and the pixels that such a polygon touches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..gdal_calls import gdal_errors
from ..grid import Window
from .crossings import crossings, rows_crossed
from .shapes import Shape, polygon_geometry

_ROWS = 64  # looked at first; then twice as many
_CROSSINGS = 500_000  # of edges with rows, that are looked at together

Cell = tuple[int, int]


def is_thin(shape: Shape, feedback: Feedback = SILENT) -> bool:
    """Whether no pixel centre at all lies inside, neither on the grid nor off it."""
    window = shape.window
    row, rows, most = window.row, _ROWS, max(1, _CROSSINGS // len(shape.edges))
    while row < window.row_end:
        feedback.check()
        end = min(window.row_end, row + min(rows, most))
        if _holds_centre(shape, row, end):
            return False
        row, rows = end, 2 * rows
    return True


def touched(shape: Shape, area: Window, feedback: Feedback = SILENT) -> tuple[np.ndarray, np.ndarray]:
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
    _, rows, columns = crossings(shape.edges, *rows_crossed(shape.edges, row, row_end))
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
