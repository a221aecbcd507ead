"""The plan of the town: square quarters with streets around and lots within, endless in every direction.

A quarter follows from the seed and its place alone, so any part of the town can be made by itself. Distances are
metres, positions (row, column) southward and eastward of the scene's corner, on a plan that is then bent a little.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .materials import ASPHALT_ROOF, CONCRETE_ROOF, LAWN, PAVEMENT, ROAD, SOIL, TREE, WATER

QUARTER = 120  # side of a quarter
STREET = 10  # width of the street along its north and west side
WALK = 4  # width of the pavement beside the street
GAP = 3  # between lots
LEAST, MOST = 16, 44  # sides of lots
BEND = 9.0  # amplitude of the bending
_KINDS = np.array([ROAD, ASPHALT_ROOF, PAVEMENT, CONCRETE_ROOF, LAWN, TREE, SOIL, WATER])
_SHARES = np.array([0.10, 0.19, 0.13, 0.19, 0.12, 0.14, 0.07, 0.06])


@dataclass(frozen=True)
class Lot:
    """A rectangle of one class on the plan.

    row, column, height, width  in metres
    rise                        metres above the ground at its centre; 0 follows the ground
    tone                        brightness of its material, about 1
    """

    row: float
    column: float
    height: float
    width: float
    code: int
    rise: float
    tone: float


@dataclass(frozen=True)
class Quarter:
    """A quarter drawn at one pixel a metre.

    codes   uint8 (120, 120), class
    rise    float32, height above the ground below
    level   float32, height of a flat top above the sea; NaN where the surface follows the ground
    tone    float32, brightness
    grain   float32, white noise for crowns and turf
    """

    lots: tuple[Lot, ...]
    codes: np.ndarray
    rise: np.ndarray
    level: np.ndarray
    tone: np.ndarray
    grain: np.ndarray


class Town:
    """The town of a seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        random = np.random.default_rng([seed, 1])
        self._waves = [
            (random.uniform(3, 7), random.uniform(380, 900), random.uniform(0, np.pi), random.uniform(0, 2 * np.pi))
            for _ in range(5)
        ]
        self._bend = random.uniform(0, 2 * np.pi, 4)
        self.quarter = functools.lru_cache(maxsize=256)(self._quarter)

    def ground(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Height of the ground in metres: long waves, higher than any house."""
        height = np.full(np.broadcast(rows, columns).shape, 80.0)
        for amplitude, length, direction, phase in self._waves:
            along = rows * np.sin(direction) + columns * np.cos(direction)
            height += amplitude * np.sin(2 * np.pi * along / length + phase)
        return height

    def on_plan(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where positions in the scene lie on the unbent plan."""
        one, two, three, four = self._bend
        turn_rows = np.sin(columns / 95 + one) + 0.5 * np.sin(rows / 140 + two)
        turn_columns = np.sin(rows / 110 + three) + 0.5 * np.sin(columns / 150 + four)
        return rows + BEND * turn_rows, columns + BEND * turn_columns

    def in_scene(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where positions on the plan lie in the scene: the inverse of on_plan()."""
        at_rows, at_columns = np.array(rows, float), np.array(columns, float)
        for _ in range(12):
            there_rows, there_columns = self.on_plan(at_rows, at_columns)
            at_rows, at_columns = at_rows + rows - there_rows, at_columns + columns - there_columns
        return at_rows, at_columns

    def _quarter(self, row: int, column: int) -> Quarter:
        random = np.random.default_rng([self.seed, 2, row + 2**20, column + 2**20])
        top, left = row * QUARTER, column * QUARTER
        side = QUARTER
        codes = np.full((side, side), random.choice([LAWN, PAVEMENT, SOIL], p=[0.5, 0.35, 0.15]), np.uint8)
        rise, tone = np.zeros((side, side), np.float32), np.ones((side, side), np.float32)
        level = np.full((side, side), np.nan, np.float32)
        edge = STREET + WALK
        codes[:edge], codes[:, :edge], codes[-WALK:], codes[:, -WALK:] = PAVEMENT, PAVEMENT, PAVEMENT, PAVEMENT
        codes[:STREET], codes[:, :STREET] = ROAD, ROAD
        lots = []
        room = side - edge - WALK
        for part in _divide((edge, edge, room, room), random):
            lot = _build(part, random)
            here = np.s_[int(lot.row) : int(lot.row + lot.height), int(lot.column) : int(lot.column + lot.width)]
            codes[here], tone[here] = lot.code, lot.tone
            rise[here] = lot.rise
            if lot.code in (ASPHALT_ROOF, CONCRETE_ROOF, WATER):
                centre = np.array(top + lot.row + lot.height / 2), np.array(left + lot.column + lot.width / 2)
                level[here] = self.ground(*centre) + lot.rise
            lots.append(Lot(top + lot.row, left + lot.column, lot.height, lot.width, lot.code, lot.rise, lot.tone))
        grain = random.standard_normal((side, side)).astype(np.float32)
        return Quarter(tuple(lots), codes, rise, level, tone, grain)


Part = tuple[int, int, int, int]  # row, column, height, width


def _divide(part: Part, random: np.random.Generator) -> Iterator[Part]:
    """Cuts a rectangle in two until the parts are lots."""
    row, column, height, width = part
    longer = max(height, width)
    if longer <= MOST and (longer < 2 * LEAST + GAP or random.random() < 0.6):
        yield part
        return
    cut = int(random.integers(LEAST, longer - LEAST - GAP + 1))
    if height >= width:
        halves = (row, column, cut, width), (row + cut + GAP, column, height - cut - GAP, width)
    else:
        halves = (row, column, height, cut), (row, column + cut + GAP, height, width - cut - GAP)
    for half in halves:
        yield from _divide(half, random)


def _build(part: Part, random: np.random.Generator) -> Lot:
    """Gives a lot its class; every class is built on lots of the same shapes."""
    row, column, height, width = part
    code = int(random.choice(_KINDS, p=_SHARES))
    rise = 0.0
    if code in (ASPHALT_ROOF, CONCRETE_ROOF):
        rise = float(random.uniform(3, 12))
    elif code == TREE:
        rise = float(random.uniform(5, 12))
    elif code == WATER:
        rise = -1.0
    return Lot(row, column, height, width, code, rise, float(random.normal(1, 0.12)))
