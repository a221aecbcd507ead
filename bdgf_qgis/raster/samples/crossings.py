"""Where the edges of polygons cross the middle of rows of pixels."""

from __future__ import annotations

import numpy as np


def rows_crossed(edges: np.ndarray, row: int, row_end: int) -> tuple[np.ndarray, np.ndarray]:
    """First row, and number of rows, (E,) of some rows whose middle each edge (E, 4: x1, y1, x2, y2) crosses."""
    start = np.clip(np.ceil(np.minimum(edges[:, 1], edges[:, 3]) - 0.5), row, row_end).astype(np.int64)
    end = np.clip(np.ceil(np.maximum(edges[:, 1], edges[:, 3]) - 0.5), row, row_end).astype(np.int64)
    return start, end - start


def crossings(edges: np.ndarray, start: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All crossings (N,) of edges with the rows that rows_crossed() gives: edge, row, and the first column, as a
    float, whose pixel has its centre there or to the right."""
    edge = np.repeat(np.arange(len(counts)), counts)
    row = start[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    x1, y1, x2, y2 = edges[edge].T
    x = x1 + (row + 0.5 - y1) * ((x2 - x1) / (y2 - y1))
    return edge, row, np.ceil(x - 0.5)
