"""Results: that they destroy nothing, that one run writes each, that they are renamed to their places when whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from qgis.core import QgsProcessingException

from ...model.shared.text import plain_text
from ..feedback import Feedback
from ..files.atomic_file import DERIVED, AtomicFile, commit_together, held_result
from ..files.conflicts import ReadFiles, Written, clash, letters_that_fit
from ..files.errors import not_written
from ..files.renames import finish_cut
from ..translation import tr
from .error_sentences import told_to_user
from .map_writer import STYLE


@contextmanager
def placed(destination: str) -> Iterator[Path]:
    """A path beside `destination`, with its suffix, to write to; renamed to it at the end, removed on an error.

    Raises QgsProcessingException, before anything is written, where the folder cannot be made or written to.
    """
    with told_to_user(), AtomicFile(destination) as result:
        yield result.file
        result.commit()


def file_result(path: str, *beside: str) -> Written:
    """A result with what GDAL and SQLite keep beside it, and other files that are written with it."""
    return Written(path, (*(path + end for end in DERIVED), *beside))


def raster_result(path: str, *beside: str) -> Written:
    """A raster with its style, too."""
    return file_result(path, str(Path(path).with_suffix(STYLE)), *beside)


@contextmanager
def held_places(results: Iterable[Written], reads: ReadFiles, feedback: Feedback) -> Iterator[None]:
    """Until the end no other run writes these results.

    Results that a killed run left half in place are finished first.

    Args:
        results: those with '' as a path are not wanted; nothing is left of them.
        reads: all files that the run reads.
        feedback: told of a killed run's results.

    Raises QgsProcessingException where a result cannot be written, would destroy a file that is read or another
    result, or where another run writes it.
    """
    wanted = [result for result in results if result.path]
    for result in wanted:
        _check_name(result)
    twice = clash(wanted)
    if twice is not None:
        text = tr("Two results would be written to {path}: choose another file name for one of them.")
        raise QgsProcessingException(text.format(path=twice.written))
    for result in wanted:
        _check_reads(result, reads)
    with ExitStack() as stack:
        with told_to_user():
            for result in wanted:
                path = Path(result.path)
                finished = finish_cut(path.parent)
                if finished:
                    text = tr("A run that was cut had not put these results in place; now they are: {names}.")
                    feedback.info(text.format(names=", ".join(finished)))
                stack.enter_context(held_result(path))
        yield


def _check_name(result: Written) -> None:
    if "\0" in result.path or plain_text(result.path, lines=True) != result.path:
        text = tr("The name {path} of a result holds signs that no file name should have: choose another file name.")
        raise QgsProcessingException(text.format(path=plain_text(result.path)))
    fitting = letters_that_fit(result)
    if fitting is not None:
        text = tr("The file name {name} is too long for {folder}: it may have {count} letters at most.")
        path = Path(result.path)
        raise QgsProcessingException(text.format(name=path.name, folder=path.parent, count=fitting))


def _check_reads(result: Written, reads: ReadFiles) -> None:
    conflict = reads.conflict(result)
    if conflict is None:
        return
    if conflict.written == conflict.result:
        text = tr("The result {path} would replace a file that is read, {file}: choose another file name.")
    else:
        text = tr(
            "The result {path} would replace {written}, which belongs to {file}, a file that is read: choose another "
            "file name."
        )
    raise QgsProcessingException(text.format(path=conflict.result, written=conflict.written, file=conflict.file))


def put_all_in_place(files: Iterable[tuple[Path, str]]) -> None:
    """Copy whole files to their places, maybe from another disk; all of them or none, '' as a place: not wanted."""
    _write_all((place, partial(shutil.copyfile, source)) for source, place in files)


def write_texts(texts: Iterable[tuple[str, str]]) -> None:
    """Write whole text files, given as pairs of place and text; all of them or none, '' as a place: not wanted."""
    _write_all((place, partial(_write_text, text)) for place, text in texts)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _write_all(results: Iterable[tuple[str, Callable[[Path], object]]]) -> None:
    """Results by their places, each written by a call."""
    with told_to_user(), ExitStack() as stack:
        files = []
        for place, write in results:
            if place:
                files.append(stack.enter_context(AtomicFile(place)))
                try:
                    write(files[-1].file)
                except OSError as error:
                    raise not_written(files[-1].path, error) from error
        commit_together(files)


def tell_report(path: str, feedback: Feedback) -> None:
    """Where a report stands that was written; nothing where none was wanted."""
    if path:
        feedback.info(tr("Report: {path}. In the window, Processing > Results Viewer shows it.").format(path=path))
