"""Which pixels a polygon claims: those whose centre lies inside; of a polygon too thin for that, those it touches.

A centre on an edge belongs to the polygon whose inside lies to its right or below, so that of two polygons with a
common border exactly one claims it. Works on the polygon's rows alone: no raster of its surroundings is made, and the
answer does not hang on the window asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .errors import RasterError
from .gdal_calls import gdal_errors
from .grid import Window
from .shapes import Shape, polygon_geometry


def pixels_of(shape: Shape, window: Window) -> tuple[np.ndarray, np.ndarray, bool]:
    """Rows (P,) and columns (P,) of the pixels claimed inside a window, and whether the polygon is a thin one."""
    rows, first, end = _runs(shape, window.row, window.row_end)
    first, end = np.maximum(first, window.column), np.minimum(end, window.column_end)
    some = end > first
    if some.any():
        return (*_expanded(rows[some], first[some], end[some]), False)
    if is_thin(shape):
        rows, columns = _touched(shape)
        inside = (rows >= window.row) & (rows < window.row_end)
        inside &= (columns >= window.column) & (columns < window.column_end)
        return rows[inside], columns[inside], True
    nothing = np.empty(0, np.int64)
    return nothing, nothing, False


def is_thin(shape: Shape) -> bool:
    """Whether no pixel centre at all lies inside."""
    _, first, end = _runs(shape, shape.window.row, shape.window.row_end)
    return not bool((end > first).any())


def mask_of(shapes: Sequence[Shape], window: Window) -> np.ndarray:
    """Pixels claimed by any of the polygons, bool (h, w)."""
    mask = np.zeros((window.height, window.width), bool)
    for shape in shapes:
        if not shape.window.intersection(window).empty:
            rows, columns, _ = pixels_of(shape, window)
            mask[rows - window.row, columns - window.column] = True
    return mask


def _runs(shape: Shape, row: int, row_end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Runs of claimed pixels in some rows: row, first column, column after the last (which may be the first)."""
    x1, y1, x2, y2 = shape.edges.T
    start = np.clip(np.ceil(np.minimum(y1, y2) - 0.5), row, row_end).astype(np.int64)
    end = np.clip(np.ceil(np.maximum(y1, y2) - 0.5), row, row_end).astype(np.int64)
    counts = end - start
    edge = np.repeat(np.arange(len(counts)), counts)
    rows = start[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    x = x1[edge] + (rows + 0.5 - y1[edge]) * ((x2 - x1)[edge] / (y2 - y1)[edge])
    order = np.lexsort((x, rows))
    rows, column = rows[order], np.ceil(x[order] - 0.5).astype(np.int64)
    return rows[0::2], column[0::2], column[1::2]


def _expanded(rows: np.ndarray, first: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    counts = end - first
    columns = np.repeat(first, counts) + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(rows, counts), columns


def _touched(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels of which a polygon without a pixel centre covers some part."""
    cells = {cell for edge in shape.edges for cell in _crossed(*edge.tolist())}
    covered = {cell for cell in cells if _shares_area(shape, *cell)}
    places = np.array(sorted(covered or cells), dtype=np.int64).reshape(-1, 2)
    return places[:, 0], places[:, 1]


def _crossed(x1: float, y1: float, x2: float, y2: float) -> list[tuple[int, int]]:
    """Pixels (row, column) through which an edge runs."""
    cuts = [np.array([0.0, 1.0])]
    for first, second in ((x1, x2), (y1, y2)):
        low, high = min(first, second), max(first, second)
        lines = np.arange(np.ceil(low), np.floor(high) + 1)
        if high > low:
            cuts.append((lines - first) / (second - first))
    along = np.unique(np.concatenate(cuts))
    middle = (along[:-1] + along[1:]) / 2
    rows, columns = np.floor(y1 + middle * (y2 - y1)), np.floor(x1 + middle * (x2 - x1))
    return list(zip(rows.astype(int).tolist(), columns.astype(int).tolist()))


def _shares_area(shape: Shape, row: int, column: int) -> bool:
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) + np.array([column, row])
    try:
        with gdal_errors("geometry"):
            common = shape.geometry.Intersection(polygon_geometry([[square]]))
            return common is None or common.GetArea() > 0
    except RasterError:
        return True
