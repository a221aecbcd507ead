"""Which candidates become suggestions: over the classes by the root of their area, in space by a least distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ...feedback import SILENT, Feedback
from ..grid import Grid
from .candidates import ClassCandidates
from .shapes import Shape

_LOOSE = 0.7  # share of the spacing of an even spread that is tried at first
_DEPTH = 20  # candidates a point of a class that are looked at before its distance is shortened
_SHRINK = 0.8  # of a class's distance where none of its candidates keeps it
_EDGES = 100_000  # of a polygon that are looked at together


@dataclass(frozen=True)
class Suggestion:
    """A pixel to look at.

    row, column  of the grid
    code         its class in the map
    second       the likeliest other class, UNKNOWN where the rasters do not tell
    uncertainty  0 to 1
    """

    row: int
    column: int
    code: int
    second: int
    uncertainty: float


@dataclass(frozen=True)
class Suggestions:
    """Suggestions, the first to be labelled first.

    points     so many as were found
    crowded    codes of the classes that were to give more, and whose candidates lie too near to points or polygons
    distance   the smallest distance that was kept, map units
    """

    points: tuple[Suggestion, ...]
    crowded: tuple[int, ...]
    distance: float


def suggest(
    classes: Mapping[int, ClassCandidates],
    count: int,
    grid: Grid,
    distance: Optional[float] = None,
    drawn: Sequence[Shape] = (),
    feedback: Feedback = SILENT,
) -> Suggestions:
    """Choose from candidates.

    Every class gives one, the largest first; then the divisor method of Sainte-Lague on the roots of their areas says
    whose turn it is. A class gives its first candidate that keeps the distance to all points chosen and polygons drawn;
    its distance is shortened before candidates are taken that come late in the draw, being sure.

    Args:
        classes: the candidates by code.
        count: points wanted.
        grid: of the map.
        distance: least distance in map units; None begins with that of an even spread, and shortens it for a class,
            down to a pixel, where none of its candidates keeps it.
        drawn: polygons on the grid to keep away from.
        feedback: told the share that is done, and asked about Cancel, for each point; RunCancelled is raised then.
    """
    wide, high = grid.pixel_size
    pixel = min(wide, high)
    board = _Board(classes, grid, drawn)
    first = max(pixel, _LOOSE * board.even_spacing(count)) if distance is None else max(distance, pixel / 2)
    least = first if distance is not None else pixel
    distances = dict.fromkeys(classes, first)
    given = dict.fromkeys(classes, 0)
    open_ones = set(classes)
    crowded: list[int] = []
    points: list[Suggestion] = []
    while open_ones and len(points) < count:
        feedback.check()
        turn = max(
            sorted(open_ones),
            key=lambda code: (given[code] == 0, classes[code].pixels ** 0.5 / (2 * given[code] + 1)),
        )
        depth = _DEPTH * (given[turn] + 1)
        found = board.place(turn, distances[turn], depth)
        while found is None and distances[turn] > least:
            distances[turn] = max(least, distances[turn] * _SHRINK)
            found = board.place(turn, distances[turn], depth)
        if found is None:
            found = board.place(turn, least)
        if found is None:
            open_ones.remove(turn)
            crowded.append(turn)
            continue
        given[turn] += 1
        points.append(found)
        feedback.at(len(points) / count)
    kept = min((distances[code] for code in classes if given[code]), default=first)
    return Suggestions(tuple(points), tuple(sorted(crowded)), kept)


class _Board:
    """All candidates, and how far each is from the points chosen; from polygons as far as it was asked for."""

    def __init__(self, classes: Mapping[int, ClassCandidates], grid: Grid, drawn: Sequence[Shape]) -> None:
        sizes = [len(one.candidates) for one in classes.values()]
        ends = np.cumsum([0, *sizes]).tolist()
        self._slices = {code: slice(first, end) for code, first, end in zip(classes, ends, ends[1:])}
        self._candidates = np.concatenate([one.candidates for one in classes.values()])
        size = np.array(grid.pixel_size)
        pixels = np.stack([self._candidates["column"], self._candidates["row"]], axis=1)
        self._places = (pixels + 0.5) * size
        self._nearest = np.full(len(pixels), np.inf)
        self._drawn = drawn
        self._size = size
        self._bounds = np.array([shape.bounds for shape in drawn]).reshape(-1, 4) * np.tile(size, 2)

    def even_spacing(self, count: int) -> float:
        """Spacing of so many points and the polygons there, spread evenly over the rectangle of all candidates."""
        low, high = self._places.min(axis=0), self._places.max(axis=0)
        beside = (self._bounds[:, :2] <= high).all(axis=1) & (self._bounds[:, 2:] >= low).all(axis=1)
        return float(np.prod(high - low + self._size) / (count + beside.sum())) ** 0.5

    def place(self, code: int, distance: float, depth: Optional[int] = None) -> Optional[Suggestion]:
        """Choose the first of a class's first `depth` candidates that keeps a distance; None where none does."""
        own = self._slices[code]
        if depth is not None:
            own = slice(own.start, min(own.stop, own.start + depth))
        for number in own.start + np.flatnonzero(self._nearest[own] >= distance):
            away = self._from_polygons(self._places[number], distance)
            if away < distance:
                self._nearest[number] = min(self._nearest[number], away)
                continue
            np.minimum(self._nearest, np.hypot(*(self._places - self._places[number]).T), out=self._nearest)
            chosen = self._candidates[number]
            row, column, second = (int(chosen[name]) for name in ("row", "column", "second"))
            return Suggestion(row, column, code, second, float(chosen["uncertainty"]))
        return None

    def _from_polygons(self, place: np.ndarray, distance: float) -> float:
        """How far a place is from the edge of the nearest polygon, where one is nearer than `distance`, or infinity."""
        low, high = self._bounds[:, :2], self._bounds[:, 2:]
        beside = np.hypot(*np.maximum(0, np.maximum(low - place, place - high)).T) < distance
        nearest = np.inf
        for number in np.flatnonzero(beside):
            edges = self._drawn[number].edges
            for begin in range(0, len(edges), _EDGES):
                nearest = min(nearest, _from_edges(place, edges[begin : begin + _EDGES] * np.tile(self._size, 2)))
        return nearest


def _from_edges(place: np.ndarray, edges: np.ndarray) -> float:
    """How far a place is from the nearest of some edges (E, 4)."""
    begin, along = edges[:, :2], edges[:, 2:] - edges[:, :2]
    length = np.maximum((along**2).sum(axis=1), np.finfo(float).tiny)
    share = np.clip(((place - begin) * along).sum(axis=1) / length, 0, 1)
    return float(np.hypot(*(begin + share[:, None] * along - place).T).min())
