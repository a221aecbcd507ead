"""The common grid and rectangles of its pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Window:
    """A rectangle of grid pixels: first row and column, height and width. It may reach beyond the grid."""

    row: int
    column: int
    height: int
    width: int

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return self.height <= 0 or self.width <= 0

    @property
    def row_end(self) -> int:
        """The row after the last."""
        return self.row + self.height

    @property
    def column_end(self) -> int:
        """The column after the last."""
        return self.column + self.width

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return max(0, self.height) * max(0, self.width)

    def slices_in(self, outer: Window) -> tuple[slice, slice]:
        """Index of the window in an array that holds the pixels of `outer`, which contains it."""
        row, column = self.row - outer.row, self.column - outer.column
        return slice(row, row + self.height), slice(column, column + self.width)

    def intersection(self, other: Window) -> Window:
        """The pixels in both; height or width 0 where there are none."""
        row, column = max(self.row, other.row), max(self.column, other.column)
        height = max(0, min(self.row_end, other.row_end) - row)
        width = max(0, min(self.column_end, other.column_end) - column)
        return Window(row, column, height, width)

    def union(self, other: Window) -> Window:
        """The smallest window that holds both; an empty one counts for nothing."""
        if self.empty or other.empty:
            return other if self.empty else self
        row, column = min(self.row, other.row), min(self.column, other.column)
        return Window(
            row, column, max(self.row_end, other.row_end) - row, max(self.column_end, other.column_end) - column
        )

    def expand(self, halo: int) -> Window:
        """The window with `halo` more pixels on each side."""
        return Window(self.row - halo, self.column - halo, self.height + 2 * halo, self.width + 2 * halo)

    def cells(self, side: int) -> Iterator[Window]:
        """The window cut along multiples of `side` counted from grid pixel (0, 0), row by row."""
        rows, columns = self.cell_starts(side)
        for row in rows:
            for column in columns:
                yield Window(row, column, side, side).intersection(self)

    def cell_starts(self, side: int) -> tuple[range, range]:
        """First rows and first columns of those cells, before they are clipped."""
        return range(self.row // side * side, self.row_end, side), range(
            self.column // side * side, self.column_end, side
        )


@dataclass(frozen=True)
class Grid:
    """A north-up raster grid.

    transform  GDAL's six numbers: west edge, pixel width, 0, north edge, 0, minus the pixel height
    wkt        the CRS as WKT, '' without one
    """

    width: int
    height: int
    transform: tuple[float, float, float, float, float, float]
    wkt: str

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Width and height of a pixel in map units."""
        return self.transform[1], -self.transform[5]

    @property
    def window(self) -> Window:
        """All pixels."""
        return Window(0, 0, self.height, self.width)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, south, east and north edge in map units."""
        west, north = self.transform[0], self.transform[3]
        return west, north + self.height * self.transform[5], west + self.width * self.transform[1], north

    def moved_east(self, distance: float) -> Grid:
        """The same grid at another place; itself where the distance is 0."""
        west, wide, turn, north, other, high = self.transform
        return replace(self, transform=(west + distance, wide, turn, north, other, high)) if distance else self

    def transform_of(self, window: Window) -> tuple[float, float, float, float, float, float]:
        """GDAL's six numbers for a raster that holds the window's pixels."""
        west, wide, _, north, _, high = self.transform
        return west + window.column * wide, wide, 0.0, north + window.row * high, 0.0, high

    def window_of_extent(self, xmin: float, ymin: float, xmax: float, ymax: float) -> Window:
        """The grid's pixels whose centre lies inside an extent in map units; empty where there are none."""
        west, wide, _, north, _, high = self.transform
        column = max(0, math.ceil((xmin - west) / wide - 0.5))
        column_end = min(self.width, math.floor((xmax - west) / wide - 0.5) + 1)
        row = max(0, math.ceil((ymax - north) / high - 0.5))
        row_end = min(self.height, math.floor((ymin - north) / high - 0.5) + 1)
        return Window(row, column, max(0, row_end - row), max(0, column_end - column))
