"""The worker's log file: what it and its native libraries print to stderr, kept small; of failed runs it stays."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import BinaryIO, Optional

_LARGEST = 4 * 1024 * 1024  # bytes before the log is cut
_KEPT = 256 * 1024  # bytes that stay when it is cut, and that are searched for the last lines
_PREFIX = "bdgf_worker_"
_LOGS_KEPT = 5
_DAY = 86400.0  # seconds; a younger log may still be wanted


class WorkerLog:
    """A log file in the folder of a worker, with which it goes. What an error names is a copy beside that folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "worker.log"
        self.path.touch()
        self._copy: Optional[Path] = None

    def open(self) -> BinaryIO:
        """A handle for the child process, which appends."""
        return open(self.path, "ab")

    def trim(self) -> None:
        """Cut a log that has grown too large to its end. (Windows may refuse while the worker writes.)"""
        with contextlib.suppress(OSError):
            if self.path.stat().st_size > _LARGEST:
                end = self._end()
                with open(self.path, "r+b") as file:
                    file.truncate(0)
                    file.write(b"(cut)\n" + end)

    def last_lines(self, count: int = 5) -> list[str]:
        """The last lines that say something."""
        with contextlib.suppress(OSError):
            text = self._end().replace(b"\0", b"").decode("utf-8", "replace")
            return [line.rstrip()[:300] for line in text.splitlines() if line.strip()][-count:]
        return []

    def keep(self) -> Path:
        """Copy the log to where it stays, for an error that names it; the newest few of such copies are kept."""
        home = self.path.parent.parent
        with contextlib.suppress(OSError):
            if self._copy is None:
                _drop_old(home)
                descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".log", dir=home)
                os.close(descriptor)
                self._copy = Path(name)
            shutil.copyfile(self.path, self._copy)
        return self._copy or self.path

    def clear(self) -> None:
        """Begin anew for the next run. (Windows may refuse while the worker writes.)"""
        with contextlib.suppress(OSError):
            os.truncate(self.path, 0)
        self._copy = None

    def _end(self) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _KEPT))
            return file.read()


def _drop_old(home: Path) -> None:
    with contextlib.suppress(OSError):
        logs = sorted(home.glob(f"{_PREFIX}*.log"), key=lambda path: path.stat().st_mtime)
        for path in logs[: max(0, len(logs) - _LOGS_KEPT + 1)]:
            if time.time() - path.stat().st_mtime > _DAY:
                path.unlink()
