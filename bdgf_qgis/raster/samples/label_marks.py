"""The pixels whose class is known: valid ones that polygons of a single class cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...feedback import Feedback
from ..grid import Window
from ..reading.stack import ModalityStack
from .classes import ClassRule, text_of
from .label_map import NONE, LabelMap
from .rasterise import DISPUTED, PolygonRaster
from .shapes import VALIDATE, Polygon, Shape

_CELL = 256  # side of the squares in which polygons are rasterised and validity is looked up, pixels


@dataclass(frozen=True, eq=False)
class Marks:
    """Where the polygons' classes hold.

    polygons   the polygons (n)
    positions  (n,) class position of each
    validating bool (n,), those that are drawn for validation
    map        class positions of the pixels that count: valid ones that polygons of a single class cover
    valid      (K,) number of such pixels of each class
    used       bool (n,), polygons that cover any of them
    conflicts  number of valid pixels that polygons of two classes cover
    """

    polygons: PolygonRaster
    positions: np.ndarray
    validating: np.ndarray
    map: LabelMap
    valid: np.ndarray
    used: np.ndarray
    conflicts: int


def mark_pixels(
    stack: ModalityStack,
    labelled: Sequence[Polygon],
    places: Sequence[int],
    shapes: Sequence[Shape],
    rule: ClassRule,
    feedback: Feedback,
) -> Marks:
    """Go over the scene cell by cell and see which pixels count.

    Args:
        stack: the rasters.
        labelled: polygons with a class.
        places: (n,) which of them each shape is of.
        shapes: of the polygons.
        rule: how what they say becomes classes.
        feedback: looked at often; RunCancelled is raised where the user cancels.
    """
    position_of = {each.code: position for position, each in enumerate(rule.classes)}
    codes = rule.codes
    positions = np.array([position_of[codes[text_of(labelled[place].value)]] for place in places], np.int64)
    validating = np.array([labelled[place].role == VALIDATE for place in places], bool)
    polygons = PolygonRaster(shapes, stack.overlap, feedback)
    marks = LabelMap(stack.overlap, _CELL)
    valid, used, conflicts = np.zeros(len(rule.classes), np.int64), np.zeros(len(shapes), bool), 0
    for cell in polygons.windows(stack.overlap, _CELL):
        feedback.check()
        position = polygons.agreed(cell, positions)
        inside = _valid(stack, cell, position)
        conflicts += int((inside & (position == DISPUTED)).sum())
        counting = inside & (position >= 0)
        if counting.any():
            valid += np.bincount(position[counting], minlength=len(valid))
            used |= polygons.covering(cell, counting, ~used)
            marks.put(cell, np.where(counting, position, NONE))
    return Marks(polygons, positions, validating, marks, valid, used, conflicts)


def _valid(stack: ModalityStack, cell: Window, position: np.ndarray) -> np.ndarray:
    """Which covered pixels (h, w) of a cell are valid; reads their surroundings only."""
    inside = np.zeros(position.shape, bool)
    rows, columns = np.nonzero(position != NONE)
    if len(rows):
        top, left = int(rows.min()), int(columns.min())
        part = Window(cell.row + top, cell.column + left, int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1)
        inside[part.slices_in(cell)] = stack.read_valid(part)
        stack.spare_memory()
    return inside & (position != NONE)
