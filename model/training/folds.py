"""Which labelled pixels are kept back together, so that what is said of them is a prediction and no recollection.

Pixels of one polygon are alike, so they go together. Where labels are single pixels, or little more, those beside each
other are alike too; then neighbours of one class go together.
"""

from __future__ import annotations

import numpy as np

_FEW_PIXELS = 4  # in a polygon, on average: with fewer, place decides and no longer the polygon


def parts_of(points: np.ndarray, count: int) -> np.ndarray:
    """The part (P,) of each labelled pixel (P, 4: row, column, class, polygon), numbered from 0.

    A part is what one polygon holds of a class; where polygons hold few pixels one of `count` blocks of a class's
    polygons that lie together. A class's only polygon is two parts, halves along its longer side.
    """
    parts = np.zeros(len(points), dtype=int)
    polygons = len(np.unique(points[:, 2].astype(np.int64) << 32 | points[:, 3]))
    by_place = len(points) < _FEW_PIXELS * polygons
    first = 0
    for position in np.unique(points[:, 2]):
        rows = np.nonzero(points[:, 2] == position)[0]
        units, unit_of = np.unique(points[rows, 3], return_inverse=True)
        if len(units) == 1:
            own = _blocks(points[rows, :2].astype(float), 2)
        elif by_place:
            pixels = np.bincount(unit_of)
            centres = np.stack([np.bincount(unit_of, points[rows, axis]) / pixels for axis in (0, 1)], axis=1)
            own = _blocks(centres, count)[unit_of]
        else:
            own = unit_of
        parts[rows] = first + own
        first += own.max() + 1
    return parts


def folds_of(points: np.ndarray, count: int, random: np.random.Generator) -> tuple[np.ndarray, int]:
    """The fold (P,) of each labelled pixel (P, 4), 0 to count - 1, and the number of polygons or blocks dealt out.

    The parts of a class are dealt out evenly, in random order, from a random fold on.
    """
    parts = parts_of(points, count)
    folds = np.zeros(len(points), dtype=int)
    dealt = 0
    for position in np.unique(points[:, 2]):
        rows = points[:, 2] == position
        own = random.permutation(np.unique(parts[rows]))
        place = np.empty(parts.max() + 1, dtype=int)
        place[own] = (np.arange(len(own)) + random.integers(count)) % count
        folds[rows] = place[parts[rows]]
        dealt += 1 if len(np.unique(points[rows, 3])) == 1 else len(own)
    return folds, dealt


def left_out_pixels(points: np.ndarray, share: float, random: np.random.Generator) -> tuple[np.ndarray, int]:
    """Which labelled pixels (P, 4) are left out of training at first, as bool (P,), and the number of their parts.

    Of each class about `share` of the parts and at least one; of a class of one pixel, and where `share` is 0, nothing.
    """
    left_out = np.zeros(len(points), dtype=bool)
    if not share or not len(points):
        return left_out, 0
    parts, count = parts_of(points, max(2, round(1 / share))), 0
    for position in np.unique(points[:, 2]):
        own = random.permutation(np.unique(parts[points[:, 2] == position]))
        chosen = own[: max(1, round(share * len(own)))] if len(own) > 1 else own[:0]
        left_out |= np.isin(parts, chosen)
        count += len(chosen)
    return left_out, count


def _blocks(places: np.ndarray, count: int) -> np.ndarray:
    """The block (N,), 0 to count - 1, of each of some places (N, 2): the largest is halved along its longer side until
    there are enough."""
    blocks = [np.arange(len(places))]
    while len(blocks) < min(count, len(places)):
        largest = blocks.pop(int(np.argmax([len(block) for block in blocks])))
        axis = int(np.ptp(places[largest, 1]) >= np.ptp(places[largest, 0]))
        order = largest[np.argsort(places[largest, axis], kind="stable")]
        blocks += [order[: len(order) // 2], order[len(order) // 2 :]]
    block_of = np.zeros(len(places), dtype=int)
    for number, block in enumerate(blocks):
        block_of[block] = number
    return block_of
