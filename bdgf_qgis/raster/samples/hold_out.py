"""Which polygons are kept for the accuracy figures.

Polygons of one class within 2 pixels of each other form a unit; a class of n >= 3 units holds out
max(1, round(n * share)) of them, chosen at random, but never all; a class of fewer units none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from ...feedback import SILENT, Feedback
from ..grid import Grid
from .shapes import Shape

NEAR = 2.0  # pixels within which two polygons are one unit
FEWEST = 3  # units from which a class holds some out
_ROUNDING = 1e-6  # pixels


@dataclass(frozen=True)
class Distance:
    """How far apart two polygons lie."""

    pixels: float
    map_units: float


def units_of(shapes: Sequence[Shape], classes: Sequence[int], feedback: Feedback = SILENT) -> np.ndarray:
    """Number of the unit (n,) of each polygon, counted from 0 in the order of the polygons.

    A unit is found by going from polygon to near polygon; who has been met is not asked again.
    """
    boxes = np.array([shape.bounds for shape in shapes]).reshape(-1, 4)
    kinds = np.asarray(classes)
    units = np.full(len(shapes), -1, np.int32)
    ordered = {each: _Ordered(np.flatnonzero(kinds == each), boxes) for each in np.unique(kinds).tolist()}
    number = 0
    for start in range(len(shapes)):
        if units[start] >= 0:
            continue
        units[start], front = number, [start]
        while front:
            one = front.pop()
            others = ordered[kinds[one]].beside(boxes[one])
            others = others[units[others] < 0]
            near = others[_box_distances(boxes[one], boxes[others]) <= NEAR + _ROUNDING]
            for other in near.tolist():
                feedback.check()
                if shapes[one].geometry.Distance(shapes[other].geometry) <= NEAR + _ROUNDING:
                    units[other] = number
                    front.append(other)
        number += 1
    return units


class _Ordered:
    """Some polygons by the left sides of their boxes (n, 4)."""

    def __init__(self, numbers: np.ndarray, boxes: np.ndarray) -> None:
        self._numbers = numbers[np.argsort(boxes[numbers, 0], kind="stable")]
        self._lefts = boxes[self._numbers, 0]
        self._widest = float((boxes[numbers, 2] - boxes[numbers, 0]).max())

    def beside(self, box: np.ndarray) -> np.ndarray:
        """Numbers of all polygons that may be near a box along x, and of others."""
        reach = NEAR + 2 * _ROUNDING
        begin = np.searchsorted(self._lefts, box[0] - self._widest - reach)
        return self._numbers[begin : np.searchsorted(self._lefts, box[2] + reach, side="right")]


def held_out_units(units: np.ndarray, classes: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Numbers of the units that are held out.

    Args:
        units: (n,) unit of each polygon.
        classes: (n,) class position of each polygon; a unit has one class.
        share: share of a class's units to hold out; 0 holds out none.
        seed: same seed, same choice; one class's choice does not hang on the others.
    """
    chosen: list[int] = []
    for position in np.unique(classes) if share > 0 else []:
        own = np.unique(units[classes == position])
        if len(own) >= FEWEST:
            count = min(max(1, round(len(own) * share)), len(own) - 1)
            random = np.random.default_rng([seed, int(position)])
            chosen.extend(random.choice(own, count, replace=False).tolist())
    return np.array(sorted(chosen), dtype=np.int32)


def least_distance(
    first: Sequence[Shape], second: Sequence[Shape], grid: Grid, feedback: Feedback = SILENT
) -> Optional[Distance]:
    """The shortest way from a polygon of the one group to one of the other; None where a group is empty."""
    if not first or not second:
        return None
    best, pair = float("inf"), (first[0], second[0])
    boxes = np.array([each.bounds for each in second])
    for shape in first:
        if best == 0:
            break
        apart = _box_distances(np.array(shape.bounds), boxes)
        near = np.flatnonzero(apart < best)
        for place in near[np.argsort(apart[near], kind="stable")].tolist():
            if apart[place] >= best or best == 0:
                break
            feedback.check()
            distance = shape.geometry.Distance(second[place].geometry)
            if distance < best:
                best, pair = distance, (shape, second[place])
    wide, high = grid.pixel_size
    in_map = best * wide if abs(wide - high) < 1e-9 * wide else _scaled(pair[0], wide, high, pair[1])
    return Distance(best, in_map)


def _box_distances(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    gaps = np.maximum(np.maximum(boxes[:, :2] - box[2:], box[:2] - boxes[:, 2:]), 0)
    result: np.ndarray = np.hypot(gaps[:, 0], gaps[:, 1])
    return result


def _scaled(first: Shape, wide: float, high: float, second: Shape) -> float:
    """Distance in map units where pixels are not square."""
    return float(_stretched(first, wide, high).Distance(_stretched(second, wide, high)))


def _stretched(shape: Shape, wide: float, high: float) -> Any:
    geometry = shape.geometry.Clone()
    for polygon in range(geometry.GetGeometryCount()):
        part = geometry.GetGeometryRef(polygon)
        for number in range(part.GetGeometryCount()):
            ring = part.GetGeometryRef(number)
            for place in range(ring.GetPointCount()):
                ring.SetPoint_2D(place, ring.GetX(place) * wide, ring.GetY(place) * high)
    return geometry
