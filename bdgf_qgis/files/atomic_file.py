"""Files that come into being under another name and are renamed, with what belongs to them, when all are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Optional, Union

from .errors import held_by_another_run, not_written
from .locks import lock_file, remove_lock, result_lock, take_lock
from .paths import is_link, make_folders, remove_empty, require_file
from .renames import Swap, new_token, remove_temporary_files, temporary_file

# what GDAL keeps beside a raster, and SQLite beside a database: that of an older result is wrong
DERIVED = (".aux.xml", ".ovr", ".msk", "-wal", "-shm", "-journal")
_PATIENCE = 1.0  # seconds for a run that only looks whether a lock is left over


class AtomicFile:
    """A file that is written under another name, as a temporary file, and renamed when it is whole.

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
        self.file = temporary_file(folder or self.path.parent, self.token, self.path.suffix)
        self._sidecars: dict[Path, Path] = {}
        self._made: list[Path] = []
        self._lock: Optional[BinaryIO] = None
        try:
            self._begin()
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
        temporary = self.file.with_suffix(suffix)
        self._sidecars[temporary] = self.path.with_suffix(suffix)
        return temporary

    def write_sidecar(self, suffix: str, text: str) -> None:
        """Write a text that belongs beside the file, as a raster's style (`.qml`)."""
        temporary = self.sidecar(suffix)
        try:
            temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            raise not_written(temporary, error) from error

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
            remove_temporary_files(place, self.token)
        if self._lock is not None:
            remove_lock(self._lock, lock_file(self.path.parent, self.token))
            self._lock = None
        remove_empty(self._made)

    def swap(self) -> Swap:
        """The renames that put it in place: what belongs beside it, where an older one only goes, and itself, the last.

        Of a file that is closed.
        """
        beside: list[tuple[Optional[Path], Path]] = [
            (temporary, target) for temporary, target in self._sidecars.items() if temporary.exists()
        ]
        for temporary, target in zip(_beside(self.file, DERIVED), _beside(self.path, DERIVED)):
            if temporary.exists() or os.path.lexists(target):
                beside.append((temporary if temporary.exists() else None, target))
        return Swap(self.path.parent, self.token, [*beside, (self.file, self.path)])

    def _begin(self) -> None:
        self._made = make_folders(self.path.parent)
        if os.path.lexists(self.path):
            require_file(self.path)
            if not is_link(self.path):  # a link is replaced, never followed
                with open(self.path, "r+b"):
                    pass  # a file that another program has locked shows it here
        self._lock = take_lock(lock_file(self.path.parent, self.token))
        with open(self.file, "xb"):
            pass


def commit_together(files: Sequence[AtomicFile]) -> None:
    """Put several files in place: all sidecars, then the files, the first one last.

    A process that is killed in the middle leaves a journal, and the next run that writes there finishes (see
    files.renames). Raises FileError where one cannot be put in place; everything is as before then, and the
    temporary files are gone.
    """
    if not files:
        return
    swaps: list[Swap] = []
    target = files[0].path
    try:
        for file in files:
            file.close()
        swaps = [file.swap() for file in files]
        for file, swap in reversed(list(zip(files, swaps))):
            target = file.path
            swap.note(swaps[0])
        beside = [(swap, number) for swap in swaps for number in range(len(swap.targets) - 1)]
        for swap, number in [*beside, *((swap, -1) for swap in reversed(swaps))]:
            target = swap.targets[number]
            swap.place(number)
    except BaseException as error:
        if swaps:
            swaps[0].turn_back()
        for swap in swaps:
            swap.restore()
        for file in files:
            file.discard()
        if isinstance(error, OSError):
            raise not_written(target, error) from error
        raise
    for swap in reversed(swaps):
        swap.clear()
    for file in files:
        file.discard()  # which leaves what is in place


def _beside(path: Path, ends: Sequence[str]) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name + end) for end in ends)


@contextmanager
def held_result(path: Path) -> Iterator[None]:
    """Until the end no other run writes a result.

    Raises FileError where another run holds it, its folder cannot be made or written to, or what stands in its place
    cannot be replaced.
    """
    made: list[Path] = []
    file = result_lock(path)
    try:
        made = make_folders(path.parent)
        lock = take_lock(file, _PATIENCE)
    except OSError as error:
        remove_empty(made)
        raise not_written(path, error) from error
    try:
        if lock is None:
            raise held_by_another_run(path)
        AtomicFile(path).discard()
        yield
    finally:
        if lock is not None:
            remove_lock(lock, file)
        remove_empty(made)
