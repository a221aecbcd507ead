"""A scene opened for a run: a worker, the rasters on their common grid, and what the log says of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional

from ...model.shared.header import ModelFile
from ..engine.worker import Worker
from ..feedback import Feedback
from ..raster.reading.pixel_size import size_text
from ..raster.reading.raster import check_no_result, doubts
from ..raster.reading.stack import ModalityStack, open_stack
from ..raster.texts import counted
from ..translation import tr
from .error_sentences import told_to_user
from .matching import match_modalities
from .raster_inputs import Rasters, nodata_note
from .session import worker_session
from .training_comparison import compare_pixel_sizes


@contextmanager
def opened_scene(
    rasters: Rasters, model: Optional[ModelFile], feedback: Feedback
) -> Iterator[tuple[Worker, ModalityStack]]:
    """A worker, starting while the rasters are opened, and the rasters on their common grid.

    Where a model is given the rasters come in its order and with its bands. Errors inside are told to the user.
    """
    with told_to_user():
        check_no_result(rasters.modalities)
        feedback.warn(*doubts(rasters.modalities))
        used, bands = rasters.modalities, None
        if model is not None:
            match = rasters.match or match_modalities(rasters.modalities, model.header.modalities)
            feedback.warn(*match.notes)
            used, bands = match.rasters, match.bands
        with (
            worker_session() as worker,
            open_stack(used, rasters.grid, bands, feedback) as stack,
        ):
            _describe(stack, feedback)
            if model is not None:
                compare_pixel_sizes(stack, model.header, feedback)
            yield worker, stack


def _describe(stack: ModalityStack, feedback: Feedback) -> None:
    """Writes to the log what is read, on which grid, and what is odd about it."""
    for modality in stack.modalities:
        text = tr("{name}: {bands}, {kind}{warped}")
        warped = tr(", warped to the grid") if modality.warped else ""
        bands = counted(len(modality.bands), "band")
        feedback.info(text.format(name=modality.name, bands=bands, kind=modality.dtype, warped=warped))
    note = nodata_note(modality.raster for modality in stack.modalities)
    if note:
        feedback.info(note)
    overlap, size = stack.overlap, size_text(stack.scene_info())
    text = tr("Grid of '{name}': pixels of {size}; the rasters overlap on {columns} x {rows} pixels.")
    feedback.info(text.format(name=stack.reference.name, size=size, columns=overlap.width, rows=overlap.height))
    feedback.warn(*stack.warnings)
