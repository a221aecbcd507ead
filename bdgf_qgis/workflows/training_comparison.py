"""Tells where a scene is unlike the one that a model was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...model.shared.header import Header
from ..feedback import SILENT, Feedback
from ..raster.grid import Window
from ..raster.reading.pixel_size import pixel_ratio, size_text
from ..raster.reading.stack import ModalityStack
from ..translation import tr

_CELL = 64  # side of a square of pixels that are looked at
_CELLS = 48  # squares, at most
_STRANGE = 0.05  # share of a band's pixels outside the training range that is worth a warning
_OTHER_SIZE = 1.2  # ratio of pixel sizes from which a warning is due


def compare_with_training(stack: ModalityStack, window: Window, header: Header, feedback: Feedback) -> None:
    """Warns of strange values. Raises RunCancelled."""
    feedback.at(0.0, tr("Comparing with the training"))
    shares = shares_outside(stack, window, header.ranges, feedback=feedback)
    for modality, outside in zip(stack.modalities, shares):
        for name, share in zip(modality.band_names, outside):
            if share > _STRANGE:
                text = tr("{name}, {band}: {share:.0%} of the pixels lie outside the range seen in training.")
                feedback.warn(text.format(name=modality.name, band=name, share=share))


def shares_outside(
    stack: ModalityStack,
    window: Window,
    ranges: Sequence[Sequence[tuple[float, float]]],
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
    outside = [np.zeros(len(modality.bands)) for modality in stack.modalities]
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


def compare_pixel_sizes(stack: ModalityStack, header: Header, feedback: Feedback) -> None:
    """Warns where pixels of the grid are much larger or smaller than those of the model's training."""
    here, there = stack.scene_info(), header.scene
    ratio = pixel_ratio(here, there)
    if round(ratio, 3) >= _OTHER_SIZE:
        text = tr(
            "Pixels of the reference grid '{name}' ({size}) and of the model's training ({trained}) differ {ratio:.1f} "
            "times in size: shapes will look strange to the model. Let a raster with pixels of that size be the "
            "reference grid, or train on this one."
        )
        sizes = {"size": size_text(here), "trained": size_text(there)}
        feedback.warn(text.format(name=stack.reference.name, ratio=ratio, **sizes))
