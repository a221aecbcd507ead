"""Files that come into being under another name and are renamed, with what belongs to them, when all are whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Optional, Union

from .errors import RasterError

_DERIVED = (".aux.xml", ".ovr", ".msk")  # what GDAL keeps beside a raster; that of an older result is wrong
_LITTER = (".ovr.tmp", ".msk.ovr.tmp", "-wal", "-shm", "-journal")  # what GDAL and SQLite leave where they are cut off


class Draft:
    """A file in the making. Leaves nothing unless commit() or commit_together() was reached.

    Args:
        path: where it will stand; folders that are missing are made.
        folder: where it lies until then, on the same disk; None means beside its place.

    path and file are its place and where it is to be written. Raises RasterError where the folder cannot be written to
    or the file in place is locked.
    """

    def __init__(self, path: Union[str, Path], folder: Optional[Path] = None) -> None:
        self.path = Path(path)
        self.file = (folder or self.path.parent) / f".{self.path.stem}-{secrets.token_hex(4)}{self.path.suffix}"
        self._sidecars: dict[Path, Path] = {}
        self._made: list[Path] = []
        try:
            self._claim()
        except OSError as error:
            self.discard()
            raise not_written(self.path, error) from error

    def __enter__(self) -> Draft:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.discard()

    def sidecar(self, suffix: str) -> Path:
        """A path to write a file to that belongs beside this one under its name with another suffix."""
        draft = self.file.with_suffix(suffix)
        self._sidecars[draft] = self.path.with_suffix(suffix)
        return draft

    def write_sidecar(self, suffix: str, text: str) -> None:
        """Write a text that belongs beside the file, as a raster's style (`.qml`)."""
        draft = self.sidecar(suffix)
        try:
            draft.write_text(text, encoding="utf-8")
        except OSError as error:
            raise not_written(draft, error) from error

    def close(self) -> None:
        """Nothing more will be written. Raises RasterError where the disk says only now that it is full."""
        try:
            with open(self.file, "r+b") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise not_written(self.path, error) from error

    def commit(self) -> None:
        """Put the file and its sidecars in place.

        Raises RasterError where that is not possible; what stood there stands there still then.
        """
        commit_together([self])

    def discard(self) -> None:
        """Remove everything that is not in place yet."""
        for each in (self.file, *_beside(self.file, _DERIVED + _LITTER), *self._sidecars):
            with suppress(OSError):
                each.unlink()
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()

    def moves(self) -> tuple[list[tuple[Optional[Path], Path]], tuple[Path, Path]]:
        """What becomes what: sidecars (None where an older one only goes), and the file itself."""
        sidecars: list[tuple[Optional[Path], Path]] = [(d, t) for d, t in self._sidecars.items() if d.exists()]
        for draft, target in zip(_beside(self.file, _DERIVED), _beside(self.path, _DERIVED)):
            sidecars.append((draft if draft.exists() else None, target))
        return sidecars, (self.file, self.path)

    def _claim(self) -> None:
        folder = self.path.parent
        for each in reversed([folder, *folder.parents]):
            if not each.exists():
                each.mkdir()
                self._made.append(each)
        if self.path.is_dir():
            raise IsADirectoryError(21, "a folder of that name stands there")
        if self.path.exists():
            with open(self.path, "r+b"):
                pass  # a file that another program has locked shows it here
        with open(self.file, "xb"):
            pass


def commit_together(drafts: Sequence[Draft]) -> None:
    """Put several files in place: all sidecars, then the files, the first one last.

    Raises RasterError where one cannot be put in place; everything is as before then, and the drafts are gone.
    """
    done: list[tuple[Path, Optional[Path]]] = []
    try:
        for each in drafts:
            each.close()
        parts = [each.moves() for each in drafts]
        moves = [move for sidecars, _ in parts for move in sidecars] + [file for _, file in reversed(parts)]
        for draft, target in moves:
            _replace(draft, target, done)
    except BaseException as error:
        _undo(done)
        for each in drafts:
            each.discard()
        if isinstance(error, OSError):
            raise not_written(target, error) from error
        raise
    for _, backup in done:
        if backup is not None:
            with suppress(OSError):
                backup.unlink()


def not_written(path: Path, error: OSError) -> RasterError:
    """Why a file cannot be written, and what to do."""
    reason = error.strerror or str(error)
    return RasterError(
        f"{path} cannot be written ({reason}): choose a folder that you may write to, free some space, or close the "
        "program that has the file open."
    )


def _replace(draft: Optional[Path], target: Path, done: list[tuple[Path, Optional[Path]]]) -> None:
    if target.exists():
        backup = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
        os.replace(target, backup)
        done.append((target, backup))
    elif draft is not None:
        done.append((target, None))
    if draft is not None:
        os.replace(draft, target)


def _undo(done: Sequence[tuple[Path, Optional[Path]]]) -> None:
    for target, backup in reversed(done):
        with suppress(OSError):
            if backup is None:
                target.unlink()
            else:
                os.replace(backup, target)


def _beside(path: Path, ends: Sequence[str]) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name + end) for end in ends)
