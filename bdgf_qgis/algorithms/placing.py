"""Result files come into being beside their place under another name and are renamed when whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from qgis.core import QgsProcessingException

from ..translation import tr


@contextmanager
def placed(destination: str) -> Iterator[Path]:
    """A path beside `destination`, with its suffix, to write to; renamed to it at the end, removed on an error.

    Raises QgsProcessingException, before anything is written, where the folder cannot be made or written to.
    """
    target = Path(destination)
    draft = _draft(target)
    try:
        yield draft
        try:
            os.replace(draft, target)
        except OSError as error:
            raise QgsProcessingException(_not_writable(target, error)) from error
    finally:
        for each in (draft, *(draft.with_name(draft.name + end) for end in ("-wal", "-shm", "-journal"))):
            with suppress(OSError):
                each.unlink()


def check_writable(destination: str) -> None:
    """Raise QgsProcessingException where nothing can be written at the destination; leaves nothing there."""
    if destination:
        draft = _draft(Path(destination))
        with suppress(OSError):
            draft.unlink()


def put_in_place(source: Path, destination: str) -> None:
    """Move a whole file, maybe from another disk, to its place in one step."""
    put_all_in_place([(source, destination)])


def put_all_in_place(files: Sequence[tuple[Path, str]]) -> None:
    """Move whole files to their places once all of them lie beside these; '' as a place means not wanted."""
    wanted = [(source, destination) for source, destination in files if destination]
    with ExitStack() as stack:
        for source, destination in wanted:
            draft = stack.enter_context(placed(destination))
            try:
                shutil.copyfile(source, draft)
            except OSError as error:
                raise QgsProcessingException(_not_writable(Path(destination), error)) from error


def write_text(destination: str, text: str) -> None:
    """Write a whole text file in one step."""
    with placed(destination) as draft:
        try:
            draft.write_text(text, encoding="utf-8")
        except OSError as error:
            raise QgsProcessingException(_not_writable(Path(destination), error)) from error


def _draft(target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(21, "a folder of that name stands there")
        handle, draft = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise QgsProcessingException(_not_writable(target, error)) from error
    os.close(handle)
    _usual_rights(draft)
    return Path(draft)


def _usual_rights(path: str) -> None:
    """mkstemp makes files that only their owner reads; results have the rights that other programs' files have."""
    mask = os.umask(0)
    os.umask(mask)
    with suppress(OSError):
        os.chmod(path, 0o666 & ~mask)


def _not_writable(target: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    text = tr("{path} cannot be written ({reason}): choose a folder that you may write to, or free some space.")
    return text.format(path=target, reason=reason)
