"""Tells where a scene is unlike the one that a model was trained on."""

from __future__ import annotations

from ...model.shared.header import Header
from ..feedback import Feedback
from ..raster.grid import Window
from ..raster.reading.pixel_size import size_text
from ..raster.reading.sampling import shares_outside
from ..raster.reading.stack import ModalityStack
from ..translation import tr
from .reference_grid import pixel_ratio

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
