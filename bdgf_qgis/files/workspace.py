"""Temporary folders of runs: each is locked by the process that made it, so that a dead one's can be told and swept."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Optional

from ...model.shared.messages import FOLDER_PREFIX
from .locks import take_lock, try_lock

_LOCK = "lock"
_NAME = re.compile(re.escape(FOLDER_PREFIX) + r"\d+-\w+")
_SWEEP = 10.0  # seconds in which another process has looked at a lock for certain
_YOUNG = 60.0  # seconds in which a folder may still be without its lock


class Workspace:
    """A temporary folder `bdgf-<process id>-...`; deleted by close().

    parent  the folder to make it in; None takes the system's temporary folder. Raises OSError where it cannot be made.
    """

    def __init__(self, parent: Optional[str] = None) -> None:
        home = parent or tempfile.gettempdir()
        self.path = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=home)).resolve()
        self._lock: Optional[BinaryIO] = take_lock(self.path / _LOCK, _SWEEP)  # a sweep may be looking at it
        if self._lock is None:
            raise OSError(errno.EAGAIN, "another program holds its lock", str(self.path))
        self._lock.write(b"held")
        self._lock.flush()
        self._jobs = 0

    def job_folder(self) -> Path:
        """A new empty folder for the files of one job."""
        self._jobs += 1
        folder = self.path / f"job{self._jobs}"
        folder.mkdir()
        return folder

    def clear(self) -> None:
        """Delete the folders of jobs; what Windows still holds goes with the workspace."""
        for folder in self.path.glob("job*"):
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Delete the folder; a file that Windows still holds is tried for a second, then left to the next sweep."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        for _ in range(10):
            shutil.rmtree(self.path, ignore_errors=True)
            if not self.path.exists():
                return
            time.sleep(0.1)

    def __enter__(self) -> Workspace:
        """Return the workspace itself."""
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        """Delete the folder."""
        self.close()


def sweep_stale(parent: Optional[str] = None) -> list[Path]:
    """Delete the folders of processes that are gone; returns those that were deleted."""
    swept = []
    with contextlib.suppress(OSError):
        for folder in Path(parent or tempfile.gettempdir()).iterdir():
            if _NAME.fullmatch(folder.name) and not folder.is_symlink() and folder.is_dir() and _is_stale(folder):
                shutil.rmtree(folder, ignore_errors=True)
                swept.append(folder)
    return swept


def _is_stale(folder: Path) -> bool:
    """Whether no process holds the folder's lock. Locks end with their process, however it ended."""
    try:
        file = folder / _LOCK
        if not file.exists() or file.stat().st_size == 0:  # being made, or its maker died in the act
            return time.time() - folder.stat().st_mtime > _YOUNG
        with open(file, "r+b") as lock:
            return try_lock(lock)
    except OSError:
        return False  # another user's, or gone by now
