"""Which labelled pixels are learned from, and which are held out for the accuracy figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ...feedback import Feedback
from ..reading.stack import ModalityStack
from .hold_out import Distance, held_out_units, least_distance, units_of
from .label_map import NONE
from .label_marks import Marks
from .label_sample import held_out_sample, training_sample
from .shapes import Shape


@dataclass(frozen=True)
class ClassCounts:
    """How many polygons and pixels of a class train, and how many are held out; of the pixels how many are used, where
    that is a sample."""

    training_polygons: int
    training_pixels: int
    held_out_polygons: int
    held_out_pixels: int
    training_used: Optional[int] = None
    held_out_used: Optional[int] = None


@dataclass(frozen=True, eq=False)
class Split:
    """The pixels of both parts.

    points    int32 (P, 4): row, column, class position without gaps, number of the polygon unit; by row and column
    held      bool (P,), pixels of polygons that are held out
    counts    per class
    distance  from a held-out polygon to the nearest training polygon; None where none is held out
    trained   ids of the polygons that are learned from
    """

    points: np.ndarray
    held: np.ndarray
    counts: tuple[ClassCounts, ...]
    distance: Optional[Distance]
    trained: tuple[int, ...]


def split_pixels(
    stack: ModalityStack,
    marked: Marks,
    shapes: Sequence[Shape],
    share: float,
    seed: int,
    feedback: Feedback,
) -> Split:
    """The pixels of both parts: classes are numbered anew, without gaps.

    Polygons drawn for validation are held out, and they alone; where there are none, a share of each class is.

    Args:
        stack: the rasters.
        marked: where the polygons' classes hold.
        shapes: of the polygons.
        share: of the polygon units of a class that is held out where no polygon is drawn for validation.
        seed: of the choice of held-out units and of the pixels of a sample.
        feedback: looked at often; RunCancelled is raised where the user cancels.
    """
    renumbered = np.cumsum(marked.valid > 0) - 1
    used = np.flatnonzero(marked.used)
    positions = renumbered[marked.positions[used]]
    chosen = [shapes[each] for each in used]
    validating = marked.validating[used]
    units = units_of(chosen, (positions * 2 + validating).tolist(), feedback)
    held_units = np.unique(units[validating]) if validating.any() else held_out_units(units, positions, share, seed)
    held_polygons = np.isin(units, held_units)
    distance = least_distance(
        [each for each, held in zip(chosen, held_polygons) if held],
        [each for each, held in zip(chosen, held_polygons) if not held],
        stack.grid,
        feedback,
    )
    unit_of = np.zeros(len(shapes), np.int64)
    unit_of[used] = units
    classes, held_unit = np.zeros(units.max() + 1, np.int64), np.zeros(units.max() + 1, bool)
    classes[units], held_unit[held_units] = positions, True
    training, held_out = training_sample(classes, seed), held_out_sample(seed)
    totals = np.zeros((2, int(positions.max()) + 1), np.int64)
    for cell, marks in marked.map.cells():
        feedback.check()
        row, column = np.nonzero(marks != NONE)
        position, unit = renumbered[marks[row, column]], marked.polygons.agreed(cell, unit_of)[row, column]
        points = np.stack([row + cell.row, column + cell.column, position, unit], axis=1).astype(np.int32)
        held = held_unit[unit]
        for part, of_part in enumerate((~held, held)):
            totals[part] += np.bincount(position[of_part], minlength=totals.shape[1])
        training.add(points[~held], unit[~held])
        held_out.add(points[held], np.zeros(int(held.sum()), np.int64))
    samples = []
    for each in (training, held_out):
        samples.append(each.points())
        feedback.check()
    points = np.concatenate(samples)
    points = points[np.argsort(points[:, 0].astype(np.int64) * stack.grid.width + points[:, 1])]
    counts = tuple(
        ClassCounts(
            int(np.count_nonzero((positions == each) & ~held_polygons)),
            int(totals[0, each]),
            int(np.count_nonzero((positions == each) & held_polygons)),
            int(totals[1, each]),
        )
        for each in range(totals.shape[1])
    )
    trained = tuple(shape.fid for shape, kept in zip(chosen, held_polygons) if not kept)
    return Split(points, held_unit[points[:, 3]], counts, distance, trained)
