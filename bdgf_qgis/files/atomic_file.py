"""Files that come into being under another name and are renamed, with what belongs to them, when all are whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Optional, Union

from .errors import not_written
from .folders import make_folders, remove_empty
from .links import is_link
from .lock import remove_lock, take_lock
from .renames import Swap, draft_file, lock_file, new_token, remove_drafts

# what GDAL keeps beside a raster, and SQLite beside a database: that of an older result is wrong
DERIVED = (".aux.xml", ".ovr", ".msk", "-wal", "-shm", "-journal")


class AtomicFile:
    """A file that is written under another name, as a draft, and renamed when it is whole.

    Leaves nothing unless commit() or commit_together() was reached.

    Args:
        path: where it will stand; folders that are missing are made.
        folder: where it lies until then, on the same disk; None means beside its place.

    path and file are its place and where it is to be written. Raises FileError where the folder cannot be written to
    or the file in place is locked.
    """

    def __init__(self, path: Union[str, Path], folder: Optional[Path] = None) -> None:
        self.path = Path(path)
        self.token = new_token()
        self.file = draft_file(folder or self.path.parent, self.token, self.path.suffix)
        self._sidecars: dict[Path, Path] = {}
        self._made: list[Path] = []
        self._lock: Optional[BinaryIO] = None
        try:
            self._claim()
        except OSError as error:
            self.discard()
            raise not_written(self.path, error) from error

    def __enter__(self) -> AtomicFile:
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
        """Nothing more will be written. Raises FileError where the disk says only now that it is full."""
        try:
            with open(self.file, "r+b") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise not_written(self.path, error) from error

    def commit(self) -> None:
        """Put the file and its sidecars in place.

        Raises FileError where that is not possible; what stood there stands there still then.
        """
        commit_together([self])

    def discard(self) -> None:
        """Remove everything that is not in place yet."""
        for place in {self.file.parent, self.path.parent}:
            remove_drafts(place, self.token)
        if self._lock is not None:
            remove_lock(self._lock, lock_file(self.path.parent, self.token))
            self._lock = None
        remove_empty(self._made)

    def swap(self) -> Swap:
        """The renames that put it in place: what belongs beside it, where an older one only goes, and itself, the last.

        Of a file that is closed.
        """
        beside: list[tuple[Optional[Path], Path]] = [(d, t) for d, t in self._sidecars.items() if d.exists()]
        for draft, target in zip(_beside(self.file, DERIVED), _beside(self.path, DERIVED)):
            if draft.exists() or os.path.lexists(target):
                beside.append((draft if draft.exists() else None, target))
        return Swap(self.path.parent, self.token, [*beside, (self.file, self.path)])

    def _claim(self) -> None:
        self._made = make_folders(self.path.parent)
        if os.path.lexists(self.path):
            _require_file(self.path)
        self._lock = take_lock(lock_file(self.path.parent, self.token))
        with open(self.file, "xb"):
            pass


def _require_file(path: Path) -> None:
    """Raise OSError where a result must not take the place of what stands there. A link is replaced, never followed."""
    if path.is_dir():
        raise IsADirectoryError(21, "a folder of that name stands there")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise OSError(22, "that is no file but a device or a pipe")
    if not is_link(path):
        with open(path, "r+b"):
            pass  # a file that another program has locked shows it here


def commit_together(drafts: Sequence[AtomicFile]) -> None:
    """Put several files in place: all sidecars, then the files, the first one last.

    A process that is killed in the middle leaves a journal, and the next run that writes there finishes (see
    files.renames). Raises FileError where one cannot be put in place; everything is as before then, and the drafts
    are gone.
    """
    if not drafts:
        return
    swaps: list[Swap] = []
    target = drafts[0].path
    try:
        for each in drafts:
            each.close()
        swaps = [each.swap() for each in drafts]
        for each, swap in reversed(list(zip(drafts, swaps))):
            target = each.path
            swap.note(swaps[0])
        beside = [(swap, number) for swap in swaps for number in range(len(swap.targets) - 1)]
        for swap, number in [*beside, *((each, -1) for each in reversed(swaps))]:
            target = swap.targets[number]
            swap.place(number)
    except BaseException as error:
        if swaps:
            swaps[0].turn_back()
        for swap in swaps:
            swap.restore()
        for each in drafts:
            each.discard()
        if isinstance(error, OSError):
            raise not_written(target, error) from error
        raise
    for swap in reversed(swaps):
        swap.clear()
    for each in drafts:
        each.discard()  # which leaves what is in place


def _beside(path: Path, ends: Sequence[str]) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name + end) for end in ends)
