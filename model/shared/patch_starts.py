"""Where the windows of W x W pixels lie: their first pixels are the multiples of the stride, negative ones too.

Standard library only and Python 3.9: the worker cuts windows by this rule, and QGIS reads blocks with their windows'
surroundings by it.
"""

from __future__ import annotations


def window_starts(first: int, length: int, window: int, stride: int) -> range:
    """First pixels, along one axis, of all windows that touch the pixels `first` to `first + length - 1`."""
    lowest = (first - window) // stride + 1  # the first window that still reaches them
    highest = (first + length - 1) // stride
    return range(lowest * stride, (highest + 1) * stride, stride)
