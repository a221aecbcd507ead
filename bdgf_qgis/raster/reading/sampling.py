"""How far a scene's values lie outside the range that a model was trained on, from a bounded sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...feedback import SILENT, Feedback
from ..grid import Window
from .stack import ModalityStack

_CELL = 64  # side of a sampled square, pixels
_CELLS = 48  # squares, at most

Ranges = Sequence[Sequence[tuple[float, float]]]


def shares_outside(
    stack: ModalityStack,
    window: Window,
    ranges: Ranges,
    seed: int = 0,
    feedback: Feedback = SILENT,
) -> tuple[tuple[float, ...], ...]:
    """Per modality and band the share 0..1 of sampled valid pixels outside a range (lowest, highest).

    Args:
        stack: the rasters.
        window: part of the grid to sample from.
        ranges: per modality and band, as a model's header holds them.
        seed: of the choice of squares. All shares are 0 where no sampled pixel is valid.
        feedback: looked at for each square; RunCancelled is raised where the user cancels.
    """
    place = window.intersection(stack.overlap)
    rows, columns = place.cell_starts(_CELL)
    count = len(rows) * len(columns)
    chosen = np.random.default_rng(seed).choice(count, min(_CELLS, count), replace=False)
    outside = [np.zeros(len(each.bands)) for each in stack.modalities]
    seen = 0
    for number in sorted(chosen.tolist()):
        feedback.check()
        row, column = divmod(number, len(columns))
        arrays, valid = stack.read(Window(rows[row], columns[column], _CELL, _CELL).intersection(place))
        seen += int(valid.sum())
        for counts, array, limits in zip(outside, arrays, ranges):
            values = array[:, valid]
            low, high = np.array(limits, float).reshape(-1, 2).T[:, :, None]
            counts += ((values < low) | (values > high)).sum(axis=1)
    return tuple(tuple((counts / max(1, seen)).tolist()) for counts in outside)
