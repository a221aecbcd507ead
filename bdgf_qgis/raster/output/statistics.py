"""Statistics of a band, gathered block by block, in the words in which GDAL keeps them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import numpy as np


@dataclass(frozen=True)
class Statistics:
    """Number of values, lowest and highest, their sum and the sum of their squares; 0 where there are none."""

    count: float
    lowest: float
    highest: float
    total: float
    squares: float

    @classmethod
    def of(cls, plane: np.ndarray, nodata: float) -> Statistics:
        """Of the values of an array (h, w) that are not `nodata`."""
        values = plane[plane != nodata].astype(np.float64)
        if not values.size:
            return cls(0.0, 0.0, 0.0, 0.0, 0.0)
        figures = values.size, values.min(), values.max(), values.sum(), np.square(values).sum()
        return cls(*(float(each) for each in figures))

    @classmethod
    def together(cls, parts: Iterable[Statistics]) -> Statistics:
        """Of several parts as one."""
        filled = [each for each in parts if each.count]
        if not filled:
            return cls(0.0, 0.0, 0.0, 0.0, 0.0)
        count, lowest, highest, total, squares = zip(*(astuple(each) for each in filled))
        return cls(sum(count), min(lowest), max(highest), sum(total), sum(squares))

    def items(self, pixels: int) -> dict[str, str]:
        """GDAL's metadata items of a band of that many pixels; none where there is no value."""
        if not self.count:
            return {}
        mean = self.total / self.count
        deviation = math.sqrt(max(0.0, self.squares / self.count - mean * mean))
        figures = {"MINIMUM": self.lowest, "MAXIMUM": self.highest, "MEAN": mean, "STDDEV": deviation}
        items = {f"STATISTICS_{name}": f"{value:.17g}" for name, value in figures.items()}
        return {**items, "STATISTICS_VALID_PERCENT": f"{100 * self.count / pixels:.4g}"}
