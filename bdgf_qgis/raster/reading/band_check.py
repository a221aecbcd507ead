"""Which bands of a raster hold any valid pixel, found out at bounded cost."""

from __future__ import annotations

from collections.abc import Iterator

from ...feedback import SILENT, Feedback
from ..grid import Window
from .readers import SourcePixels

_PATCH = 32  # side of a sampled patch, pixels
_PATCHES = 8  # patches along a side of the window
_STRIP = 32 * 1024 * 1024  # bytes of an exact scan read at once


def bands_with_data(pixels: SourcePixels, window: Window, feedback: Feedback = SILENT) -> tuple[int, ...]:
    """Numbers of the bands with a valid pixel in a window of the raster's own pixels.

    Patches spread over the window settle most bands; only bands that show nothing there are read whole. Raises
    RunCancelled where `feedback` says so.
    """
    open_ones = set(range(len(pixels.bands)))
    for patch in _patches(window):
        if not open_ones:
            break
        open_ones -= pixels.bands_with_data(patch, sorted(open_ones))
    for strip in _strips(pixels, window, len(open_ones)):
        if not open_ones:
            break
        feedback.check()
        open_ones -= pixels.bands_with_data(strip, sorted(open_ones))
    return tuple(number for position, number in enumerate(pixels.bands) if position not in open_ones)


def _patches(window: Window) -> list[Window]:
    """Patches on a regular lattice, the middle ones first; a small window is one patch."""
    if window.empty:
        return []
    if window.pixels <= (_PATCH * _PATCHES) ** 2:
        return [window]
    middle = (_PATCHES - 1) / 2
    places = [(row, column) for row in range(_PATCHES) for column in range(_PATCHES)]
    places.sort(key=lambda place: (place[0] - middle) ** 2 + (place[1] - middle) ** 2)
    return [
        Window(
            window.row + int((row + 0.5) * window.height / _PATCHES) - _PATCH // 2,
            window.column + int((column + 0.5) * window.width / _PATCHES) - _PATCH // 2,
            _PATCH,
            _PATCH,
        ).intersection(window)
        for row, column in places
    ]


def _strips(pixels: SourcePixels, window: Window, bands: int) -> Iterator[Window]:
    """The window in rows of the file's own blocks, cut along its columns where a row of blocks is long."""
    if window.empty or not bands:
        return
    high, wide = pixels.block_size()
    budget = max(1, _STRIP // (bands * pixels.dtype.itemsize))
    high = max(1, min(high, window.height, budget))
    wide = max(wide, budget // high // wide * wide) if wide * high <= budget else max(1, budget // high)
    rows = range(window.row // high * high, window.row_end, high)
    columns = range(window.column // wide * wide, window.column_end, wide)
    for row in rows:
        for column in columns:
            yield Window(row, column, high, wide).intersection(window)
