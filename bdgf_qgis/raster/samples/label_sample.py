"""The labelled pixels that training takes where there are millions: a bounded sample, the same whatever comes first.

Classes share the number evenly, and so do the polygons of a class: none gives pixels up before it has more than its
share. Of a polygon whole squares are taken at random, since training learns from windows and a window full of labels
teaches more than one. Pixels for the accuracy figures are taken singly and at random, each with the same chance, so
that the figures stay estimates over all of them.
"""

from __future__ import annotations

import numpy as np

MOST_TRAINING = 1_000_000  # labelled pixels that training takes; more only where there are more polygons than that
MOST_HELD_OUT = 500_000  # pixels that the accuracy figures are made from
_SQUARE = 16  # side of the squares of training pixels: that of the windows most often drawn
_SLACK = 1.5  # times the pixels to keep may wait for a cut
_EVERY = np.iinfo(np.uint64).max


class PixelSample:
    """Takes in pixels part by part and keeps a sample of them; all where they are no more than `most`.

    Args:
        classes: (U,) class of each unit of polygons, from 0; units and classes share the number.
        most: pixels to keep; of each unit at least one.
        square: side of the squares of pixels that are kept together, as far as a unit's share reaches; parts are cut
            along its multiples.
        seed: of the random choice.
    """

    def __init__(self, classes: np.ndarray, most: int, square: int, seed: int) -> None:
        self._classes = np.asarray(classes, np.int64)
        self._most, self._square, self._seed = most, square, seed
        self._seen = np.zeros(len(classes), np.int64)
        self._limit = np.full(len(classes), _EVERY)  # squares with higher numbers are out
        self._parts = [(np.empty((0, 4), np.int32), np.empty(0, np.int32), _numbers([]))]
        self._kept = 0

    def add(self, points: np.ndarray, units: np.ndarray) -> None:
        """Take in pixels (P, 4) of units (P,), row by row; their first two columns are row and column."""
        self._seen += np.bincount(units, minlength=len(self._seen))
        keys = _random_numbers(points[:, 0] // self._square, points[:, 1] // self._square, self._seed)
        wanted = keys <= self._limit[units]
        self._parts.append((points[wanted], units[wanted].astype(np.int32), keys[wanted]))
        self._kept += int(wanted.sum())
        if self._kept > _SLACK * self._most:
            self._cut()

    def points(self) -> np.ndarray:
        """The sample (S, 4), by row and column."""
        if self._kept > self._most:
            self._cut()
        points = np.concatenate([each[0] for each in self._parts])
        chosen: np.ndarray = points[np.argsort(_pixels(points))]
        return chosen

    def _cut(self) -> None:
        """Let go of the pixels that are beyond their unit's share: those of the squares with the highest numbers."""
        points, units, keys = (np.concatenate(each) for each in zip(*self._parts))
        order = np.argsort(keys, kind="stable")  # pixels of a square stay in the order of the raster
        order = order[np.argsort(units[order], kind="stable")]
        starts = np.flatnonzero(np.diff(units[order], prepend=-1))
        rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
        shares = self._shares()
        order = order[rank < shares[units[order]]]
        points, units, keys = points[order], units[order], keys[order]
        last = np.flatnonzero(np.diff(units, append=-1))
        cut = self._seen[units[last]] > shares[units[last]]
        self._limit[units[last][cut]] = keys[last][cut]
        self._parts = [(points, units, keys)]
        self._kept = len(points)

    def _shares(self) -> np.ndarray:
        """How many pixels (U,) each unit may keep; falls, or stays all it has, as more are taken in."""
        of_class = np.bincount(self._classes, self._seen).astype(np.int64)
        most_of_class = np.minimum(of_class, level(of_class, self._most))
        shares = np.zeros(len(self._seen), np.int64)
        for position, most in enumerate(most_of_class.tolist()):
            own = self._classes == position
            shares[own] = level(self._seen[own], most)
        return np.minimum(shares, self._seen)


def level(counts: np.ndarray, most: int) -> int:
    """The largest whole number to which counts can be cut so that they sum up to at most `most`; 1 at least."""
    ordered = np.sort(counts)
    before = np.concatenate([[0], np.cumsum(ordered)[:-1]])
    fitting = (most - before) // np.arange(len(ordered), 0, -1) if len(ordered) else ordered
    cut = np.flatnonzero(ordered > fitting)
    return max(1, int(fitting[cut[0]]) if len(cut) else int(ordered.max(initial=1)))


def training_sample(classes: np.ndarray, seed: int) -> PixelSample:
    """For pixels to learn from, of units of polygons with these classes (U,)."""
    return PixelSample(classes, MOST_TRAINING, _SQUARE, seed)


def held_out_sample(seed: int) -> PixelSample:
    """For pixels of the accuracy figures, all as those of one unit, 0."""
    return PixelSample(np.zeros(1, np.int64), MOST_HELD_OUT, 1, seed)


def _random_numbers(rows: np.ndarray, columns: np.ndarray, seed: int) -> np.ndarray:
    """A number (P,) for each place that looks random and is always the same (the finaliser of SplitMix64, twice)."""
    with np.errstate(over="ignore"):
        mixed = _numbers(rows) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed % 2**64)
        for value in (_numbers(columns), np.uint64(0x632BE59BD9B4E019)):
            mixed = (mixed ^ value) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed = mixed ^ (mixed >> np.uint64(31))
    numbers: np.ndarray = mixed
    return numbers


def _pixels(points: np.ndarray) -> np.ndarray:
    """A number (P,) of each pixel, in the order of the raster."""
    numbers: np.ndarray = points[:, 0].astype(np.int64) << 32 | points[:, 1]
    return numbers


def _numbers(values: object) -> np.ndarray:
    return np.asarray(values).astype(np.uint64)
