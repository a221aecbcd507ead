"""What every run shares: errors in words for the map maker, and notes on the rasters."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Optional

from qgis.core import QgsProcessingException

from ...model.shared.header import Header, ModelFile, ModelFileError, read_header, read_model_file
from ..engine.client import Worker
from ..engine.errors import EngineError
from ..feedback import Feedback, RunCancelled
from ..files.errors import FileError
from ..raster.errors import RasterError
from ..raster.output.lineage import check_no_result, doubts
from ..raster.reading.pixel_size import size_text
from ..raster.reading.stack import ModalityStack, open_stack
from ..raster.texts import counted
from ..translation import tr
from .comparing import compare_pixel_sizes
from .inputs import Rasters
from .matching import match_modalities
from .nodata_text import nodata_note
from .session import worker_session


@contextmanager
def told_to_user() -> Iterator[None]:
    """Turns errors of files, rasters, the engine and model files into what Processing shows."""
    try:
        yield
    except RunCancelled as error:
        raise QgsProcessingException(tr("Cancelled; nothing was written.")) from error
    except (FileError, RasterError, EngineError, ModelFileError) as error:
        raise QgsProcessingException(str(error)) from error
    except sqlite3.Error as error:
        text = tr(
            "A GeoPackage could not be read or written ({reason}): free some disk space, or check the folder's rights."
        )
        raise QgsProcessingException(text.format(reason=error)) from error
    except OSError as error:
        text = tr("A file could not be read or written ({reason}): free some disk space, or check the folder's rights.")
        raise QgsProcessingException(text.format(reason=_reason(error))) from error


def _reason(error: OSError) -> str:
    said = error.strerror or str(error)
    return f"{error.filename}: {said}" if error.filename else said


def model_header(path: str, kinds: Iterable[str]) -> Header:
    """The header of a model file of one of the kinds 'classifier' and 'pretrained'.

    Raises ModelFileError where the file is damaged or of another kind.
    """
    header = read_header(path)
    _check_kind(header, path, kinds)
    return header


def opened_model(path: str, kinds: Iterable[str]) -> ModelFile:
    """A model file for a run, which uses this very content or ends. Raises ModelFileError as model_header() does."""
    model = read_model_file(os.path.abspath(path))  # the worker has a working folder of its own
    _check_kind(model.header, path, kinds)
    return model


def _check_kind(header: Header, path: str, kinds: Iterable[str]) -> None:
    if header.kind not in kinds:
        text = tr(
            "The model file {path} is only pre-trained and knows no classes: give it to Train as PRETRAINED first."
        )
        raise ModelFileError(text.format(path=path))


@contextmanager
def opened_scene(
    rasters: Rasters, model: Optional[ModelFile], feedback: Feedback
) -> Iterator[tuple[Worker, ModalityStack]]:
    """A worker, starting while the rasters are opened, and the rasters on their common grid.

    Where a model is given the rasters come in its order and with its bands. Errors inside are told to the user.
    """
    with told_to_user():
        check_no_result(rasters.modalities)
        warn(doubts(rasters.modalities), feedback)
        sources, bands = rasters.modalities, None
        if model is not None:
            match = match_modalities(rasters.modalities, model.header.modalities)
            warn(match.notes, feedback)
            remembered = zip(match.sources, model.header.modalities)
            sources, bands = tuple(each.with_nodata(known.nodata) for each, known in remembered), match.bands
        with (
            worker_session() as worker,
            open_stack(sources, rasters.grid, bands, feedback) as stack,
        ):
            describe_stack(stack, feedback)
            if model is not None:
                compare_pixel_sizes(stack, model.header, feedback)
            yield worker, stack


def describe_stack(stack: ModalityStack, feedback: Feedback) -> None:
    """Writes to the log what is read, on which grid, and what is odd about it."""
    for each in stack.modalities:
        text = tr("{name}: {bands}, {kind}{warped}")
        warped = tr(", warped to the grid") if each.warped else ""
        bands = counted(len(each.bands), "band")
        feedback.info(text.format(name=each.name, bands=bands, kind=each.dtype, warped=warped))
    note = nodata_note(each.source for each in stack.modalities)
    if note:
        feedback.info(note)
    overlap, size = stack.overlap, size_text(stack.scene_info())
    text = tr("Grid of '{name}': pixels of {size}; the rasters overlap on {columns} x {rows} pixels.")
    feedback.info(text.format(name=stack.grid_name, size=size, columns=overlap.width, rows=overlap.height))
    warn(stack.warnings, feedback)


def warn(sentences: Iterable[str], feedback: Feedback) -> None:
    """Warnings to the log."""
    for each in sentences:
        feedback.warn(each)


def tell_report(path: str, feedback: Feedback) -> None:
    """Where a report stands that was written; nothing where none was wanted."""
    if path:
        feedback.info(tr("Report: {path}. In the window, Processing > Results Viewer shows it.").format(path=path))
