"""Result files come into being beside their place under another name and are renamed when whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from qgis.core import QgsProcessingException

from ..raster.drafts import Draft, commit_together, not_written
from ..translation import tr
from .running import told_to_user


@contextmanager
def placed(destination: str) -> Iterator[Path]:
    """A path beside `destination`, with its suffix, to write to; renamed to it at the end, removed on an error.

    Raises QgsProcessingException, before anything is written, where the folder cannot be made or written to.
    """
    with told_to_user(), Draft(destination) as draft:
        yield draft.file
        draft.commit()


def check_places(destinations: Iterable[str], inputs: Iterable[str] = ()) -> None:
    """Raise QgsProcessingException where results cannot be written to their places, or would replace what is read.

    Args:
        destinations: paths of the results, '' where one is not wanted; nothing is left there.
        inputs: files that the run reads.
    """
    read, taken = list(inputs), set()
    for each in filter(None, destinations):
        if any(_same(each, other) for other in read):
            text = tr("The result {path} would replace a file that is read: choose another file name.")
            raise QgsProcessingException(text.format(path=each))
        place = os.path.realpath(each).casefold()  # many disks take both cases for one
        if place in taken:
            text = tr("Two results would be written to {path}: choose another file name for one of them.")
            raise QgsProcessingException(text.format(path=each))
        taken.add(place)
        with told_to_user():
            Draft(each).discard()


def put_in_place(source: Path, destination: str) -> None:
    """Move a whole file, maybe from another disk, to its place in one step."""
    put_all_in_place([(source, destination)])


def put_all_in_place(files: Sequence[tuple[Path, str]]) -> None:
    """Copy whole files to their places, all of them or none; '' as a place means not wanted."""
    with told_to_user(), ExitStack() as stack:
        drafts = []
        for source, destination in files:
            if destination:
                drafts.append(stack.enter_context(Draft(destination)))
                try:
                    shutil.copyfile(source, drafts[-1].file)
                except OSError as error:
                    raise not_written(drafts[-1].path, error) from error
        commit_together(drafts)


def write_text(destination: str, text: str) -> None:
    """Write a whole text file in one step."""
    with placed(destination) as draft:
        try:
            draft.write_text(text, encoding="utf-8")
        except OSError as error:
            raise not_written(Path(destination), error) from error


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):  # one is not there, or no file but what only GDAL can open
        return False
