"""Keeps one worker alive between runs, so that the next run need not load torch again."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Optional

from ..files.workspace import Workspace, sweep_stale
from .worker import Worker, WorkerCommand

_BETWEEN = 60.0  # seconds that a worker waits for the next run of a series where none is to wait otherwise


@dataclass(frozen=True)
class _Idle:
    """The worker that waits, its command and the folder of its workspace; a run with others takes another worker."""

    worker: Worker
    command: WorkerCommand
    folder: str


class WorkerPool:
    """Lends workers to runs and keeps the one that was given back last. For several threads.

    Two runs at once have a worker each. Ending one holds the lock: who then asks finds that it is gone for certain.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: Optional[_Idle] = None
        self._timer: Optional[threading.Timer] = None
        self._series = 0
        self._ends = 0  # how often end() was called

    @contextmanager
    def lend(self, command: WorkerCommand, parent: Optional[str], idle_seconds: float) -> Iterator[Worker]:
        """A running worker for one run; its job folders are deleted at the end.

        parent        folder for temporary files; None takes the system's
        idle_seconds  how long it then waits for the next run; 0 ends it with this one

        Raises WorkerDied where it cannot be started. One that failed, did not end its job, or was lent when end() was
        called, is not kept.
        """
        ends = self._ends
        folder = os.path.realpath(parent or tempfile.gettempdir())
        worker = self._take(command, folder)
        if worker is None:
            sweep_stale(folder)
            worker = Worker(command, Workspace(folder))
        try:
            worker.start()
            yield worker
        finally:
            worker.workspace.clear()
            self._keep(_Idle(worker, command, folder), idle_seconds, ends)

    @contextmanager
    def series(self, idle_seconds: float) -> Iterator[None]:
        """Several runs one after another: between them the worker waits, even where `idle_seconds` is 0."""
        with self._lock:
            self._series += 1
        try:
            yield
        finally:
            with self._lock:
                self._series -= 1
                if idle_seconds <= 0 and not self._series:
                    self._end()

    def end(self) -> None:
        """End the worker that waits, if any; those that are lent end with their runs."""
        with self._lock:
            self._ends += 1
            self._end()

    def _take(self, command: WorkerCommand, folder: str) -> Optional[Worker]:
        """The worker that waits, where it fits and lives; one that does not is ended."""
        with self._lock:
            idle = self._idle
            if idle is None or (idle.command, idle.folder) != (command, folder) or not idle.worker.at_rest:
                self._end()
                return None
            self._forget()
        idle.worker.log.clear()
        return idle.worker

    def _keep(self, idle: _Idle, seconds: float, ends: int) -> None:
        with self._lock:
            if self._series and seconds <= 0:
                seconds = _BETWEEN
            if seconds <= 0 or ends != self._ends or not idle.worker.at_rest:
                idle.worker.close()
                return
            self._end()
            self._idle = idle
            self._timer = threading.Timer(seconds, self._expire, [idle])
            self._timer.name, self._timer.daemon = "bdgf-idle", True
            self._timer.start()

    def _expire(self, idle: _Idle) -> None:
        with self._lock:
            if self._idle is idle:
                self._end()

    def _end(self) -> None:
        idle = self._idle
        self._forget()  # first: whatever goes wrong, nobody is lent it
        if idle is not None:
            idle.worker.close()

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._idle = self._timer = None
