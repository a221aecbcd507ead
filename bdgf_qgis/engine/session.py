"""A worker for the length of one run: the one that a run before left waiting, or a new one."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional

from ..environment.python import find_python, worker_command
from ..environment.setting import idle_minutes, profile_home, python_setting
from .client import Worker
from .warm import WarmWorkers

_workers = WarmWorkers()  # one for the process, as QGIS runs algorithms in any thread
atexit.register(_workers.end)


@contextmanager
def worker_session(parent: Optional[str] = None) -> Iterator[Worker]:
    """A worker, started where none waits (torch loads while the caller reads rasters).

    parent  folder for temporary files; None takes the system's. Only the log of a failed run stays. Raises
    EnvironmentMissing where no Python for the worker is known, WorkerDied where it cannot be started.
    """
    command = worker_command(find_python(python_setting(), home=profile_home()))
    with _workers.lend(command, parent, idle_minutes() * 60) as worker:
        yield worker


@contextmanager
def session_series() -> Iterator[None]:
    """Several sessions one after another, which share a worker also where the user wants none to wait."""
    with _workers.series(idle_minutes() * 60):
        yield


def end_idle_worker() -> None:
    """End the worker that waits for the next run; nothing happens where none does."""
    _workers.end()
