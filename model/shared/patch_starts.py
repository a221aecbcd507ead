"""Where the patches of W x W pixels lie: their first pixels are the multiples of the stride, negative ones too.

Standard library only and Python 3.9: the worker cuts patches by this rule, and QGIS reads blocks with their patches'
surroundings by it.
"""

from __future__ import annotations


def patch_starts(first: int, length: int, patch_size: int, stride: int) -> range:
    """First pixels, along one axis, of all patches that touch the pixels `first` to `first + length - 1`."""
    lowest = (first - patch_size) // stride + 1  # the first patch that still reaches them
    highest = (first + length - 1) // stride
    return range(lowest * stride, (highest + 1) * stride, stride)
