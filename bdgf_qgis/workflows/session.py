"""A worker for the length of one run, on the Python that the settings name: one that waits for it, or a new one."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional

from ..engine.worker import Worker
from ..engine.worker_pool import WorkerPool
from ..environment.python import WorkerPython, find_python, worker_command
from ..preferences import read_preferences
from ..resources import profile_home

_workers = WorkerPool()  # one for the process, as QGIS runs algorithms in any thread
atexit.register(_workers.end)


def chosen_python(named: Optional[str] = None) -> WorkerPython:
    """The Python in which BDGF computes; `named` stands for the setting bdgf/python as it is on the options page.

    Raises EnvironmentMissing where there is none, or the one that is named cannot be started.
    """
    setting = read_preferences().python if named is None else named
    return find_python(setting, home=profile_home())


@contextmanager
def worker_session(parent: Optional[str] = None) -> Iterator[Worker]:
    """A worker, started where none waits (torch loads while the caller reads rasters).

    parent  folder for temporary files; None takes the system's. Only the log of a failed run stays. Raises
    EnvironmentMissing where no Python for the worker is known, WorkerDied where it cannot be started.
    """
    with _workers.lend(worker_command(chosen_python()), parent, _idle_seconds()) as worker:
        yield worker


@contextmanager
def session_series() -> Iterator[None]:
    """Several sessions one after another, which share a worker also where the user wants none to wait."""
    with _workers.series(_idle_seconds()):
        yield


def end_idle_worker() -> None:
    """End the worker that waits for the next run; nothing happens where none does."""
    _workers.end()


def _idle_seconds() -> int:
    return read_preferences().idle * 60
