"""Polygons as an analyst would draw them inside lots and streets: some to train on, others to check with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .materials import CLASSES, ROAD
from .sensors import PIXEL
from .town import QUARTER, STREET, Town

TRAINING, VALIDATION = 6, 14  # polygons a class, at most
_MARGIN = 3  # metres kept from a lot's edge
_DRAWN = 15  # metres, longest side of a training polygon
_QUARTERS = 100  # looked at, at most


@dataclass(frozen=True)
class DrawnPolygon:
    """A polygon in scene metres: its class and its corners (n, 2) as rows and columns."""

    code: int
    corners: np.ndarray


Rectangle = tuple[float, float, float, float]  # row, column, height, width on the plan


def draw_polygons(town: Town, size: int) -> tuple[list[DrawnPolygon], list[DrawnPolygon]]:
    """Training and validation polygons of a scene of `size` pixels; no two in one lot."""
    random = np.random.default_rng([town.seed, 5])
    candidates: dict[int, list[Rectangle]] = {each.code: [] for each in CLASSES}
    for code, rectangle in _rectangles(town, size, random):
        candidates[code].append(rectangle)
    training, validation = [], []
    for code, rectangles in candidates.items():
        chosen = [rectangles[place] for place in random.permutation(len(rectangles))[: TRAINING + VALIDATION]]
        first = min(TRAINING, max(1, len(chosen) // 3))
        training += [_polygon(town, code, _shrunk(each, random)) for each in chosen[:first]]
        validation += [_polygon(town, code, each) for each in chosen[first:]]
    return training, validation


def _rectangles(town: Town, size: int, random: np.random.Generator) -> Iterator[tuple[int, Rectangle]]:
    """Rectangles of one class that lie inside the scene."""
    length = size * PIXEL
    across = range(-1, length // QUARTER + 2)
    places = [(row, column) for row in across for column in across]
    if len(places) > _QUARTERS:
        places = [places[each] for each in np.sort(random.choice(len(places), _QUARTERS, replace=False))]
    for row, column in places:
        top, left = row * QUARTER, column * QUARTER
        found = [
            (lot.code, (lot.row + _MARGIN, lot.column + _MARGIN, lot.height - 2 * _MARGIN, lot.width - 2 * _MARGIN))
            for lot in town.quarter(row, column).lots
        ]
        start = float(random.uniform(STREET + 10, QUARTER - 40))
        found.append((ROAD, (top + 2, left + start, STREET - 4, 25)))
        for code, rectangle in found:
            if _inside(_polygon(town, code, rectangle).corners, length):
                yield code, rectangle


def _inside(corners: np.ndarray, length: float) -> bool:
    return bool((corners >= PIXEL).all() and (corners <= length - PIXEL).all())


def _shrunk(rectangle: Rectangle, random: np.random.Generator) -> Rectangle:
    """A part of a rectangle, as a hand would draw it in passing."""
    row, column, height, width = rectangle
    tall, wide = min(height, _DRAWN), min(width, _DRAWN)
    return row + random.uniform(0, height - tall), column + random.uniform(0, width - wide), tall, wide


def _polygon(town: Town, code: int, rectangle: Rectangle) -> DrawnPolygon:
    """The rectangle of the plan as it lies in the scene, its sides following the bend."""
    row, column, height, width = rectangle
    steps = np.linspace(0, 1, 5)[:-1]
    rows = np.concatenate([0 * steps, steps, 0 * steps + 1, 1 - steps]) * height + row
    columns = np.concatenate([steps, 0 * steps + 1, 1 - steps, 0 * steps]) * width + column
    return DrawnPolygon(code, np.column_stack(town.in_scene(rows, columns)))
