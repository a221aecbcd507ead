"""Windows and the pixels of an extent."""

from __future__ import annotations

import numpy as np
import pytest

from bdgf.bdgf_qgis.raster.grid import Grid, Window

GRID = Grid(30, 20, (100.0, 2.5, 0.0, 50.0, 0.0, -2.0), "")


def test_pixels_of_an_extent_are_those_whose_centre_lies_inside() -> None:
    random = np.random.default_rng(1)
    x, y = 100 + (np.arange(30) + 0.5) * 2.5, 50 - (np.arange(20) + 0.5) * 2.0
    for _ in range(300):
        xmin, xmax = np.sort(random.uniform(80, 200, 2))
        ymin, ymax = np.sort(random.uniform(0, 60, 2))
        columns, rows = np.flatnonzero((x >= xmin) & (x <= xmax)), np.flatnonzero((y >= ymin) & (y <= ymax))
        window = GRID.window_of_extent(xmin, ymin, xmax, ymax)
        assert window.height == len(rows) and window.width == len(columns)
        if len(rows):
            assert window.row == rows[0]
        if len(columns):
            assert window.column == columns[0]


def test_the_whole_extent_is_the_whole_grid() -> None:
    assert GRID.window_of_extent(*GRID.extent) == GRID.window
    assert GRID.extent == (100.0, 10.0, 175.0, 50.0)
    assert GRID.pixel_size == (2.5, 2.0)


def test_a_window_has_its_own_transform() -> None:
    assert GRID.transform_of(Window(3, 4, 5, 6)) == (110.0, 2.5, 0.0, 44.0, 0.0, -2.0)


def test_intersection_and_union() -> None:
    one, other = Window(0, 0, 10, 10), Window(5, 7, 10, 10)
    assert one.intersection(other) == Window(5, 7, 5, 3)
    assert one.union(other) == Window(0, 0, 15, 17)
    assert one.intersection(Window(20, 20, 5, 5)).empty
    assert one.union(Window(0, 50, 0, 0)) == one
    assert one.intersection(Window(2, 2, 3, 3)) == Window(2, 2, 3, 3) and one.union(Window(2, 2, 3, 3)) == one


@pytest.mark.parametrize("window", [Window(0, 0, 17, 23), Window(-5, 7, 40, 3), Window(9, 9, 1, 1)])
def test_cells_cover_once_and_hang_on_the_grid(window: Window) -> None:
    seen = np.zeros((60, 60), int)
    for cell in window.cells(8):
        assert cell.row // 8 == (cell.row_end - 1) // 8 and cell.column // 8 == (cell.column_end - 1) // 8
        seen[cell.row + 10 : cell.row_end + 10, cell.column + 10 : cell.column_end + 10] += 1
    inside = np.zeros_like(seen)
    inside[window.row + 10 : window.row_end + 10, window.column + 10 : window.column_end + 10] = 1
    assert (seen == inside).all()
