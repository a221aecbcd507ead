"""Which polygons are kept for the accuracy figures.

Polygons of one class within 2 pixels of each other form a unit; a class of n >= 3 units holds out
max(1, round(n * share)) of them, chosen at random, but never all; a class of fewer units none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from .grid import Grid
from .shapes import Shape

NEAR = 2.0  # pixels within which two polygons are one unit
FEWEST = 3  # units from which a class holds some out
_ROUNDING = 1e-6  # pixels


@dataclass(frozen=True)
class Distance:
    """How far apart two polygons lie."""

    pixels: float
    map_units: float


def units_of(shapes: Sequence[Shape], classes: Sequence[int]) -> np.ndarray:
    """Number of the unit (n,) of each polygon, counted from 0 in the order of the polygons."""
    leader = list(range(len(shapes)))

    def root(member: int) -> int:
        while leader[member] != member:
            leader[member] = leader[leader[member]]
            member = leader[member]
        return member

    for one, other in _neighbours(shapes, NEAR):
        first, second = root(one), root(other)
        if classes[one] == classes[other] and first != second:
            if shapes[one].geometry.Distance(shapes[other].geometry) <= NEAR + _ROUNDING:
                leader[max(first, second)] = min(first, second)
    roots = [root(each) for each in range(len(shapes))]
    numbers = {each: number for number, each in enumerate(sorted(set(roots)))}
    return np.array([numbers[each] for each in roots], dtype=np.int32)


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


def least_distance(first: Sequence[Shape], second: Sequence[Shape], grid: Grid) -> Optional[Distance]:
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
            if apart[place] >= best:
                break
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


def _neighbours(shapes: Sequence[Shape], near: float) -> Iterator[tuple[int, int]]:
    """Pairs whose bounding boxes lie within `near` pixels of each other along both axes."""
    boxes = np.array([each.bounds for each in shapes]).reshape(-1, 4)
    order = np.argsort(boxes[:, 0], kind="stable")
    lefts = boxes[order, 0]
    for place, one in enumerate(order.tolist()):
        end = int(np.searchsorted(lefts, boxes[one, 2] + near + _ROUNDING, side="right"))
        others = order[place + 1 : end]
        apart = np.maximum(boxes[others, 1] - boxes[one, 3], boxes[one, 1] - boxes[others, 3])
        for other in others[apart <= near + _ROUNDING].tolist():
            yield (one, other) if one < other else (other, one)


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
