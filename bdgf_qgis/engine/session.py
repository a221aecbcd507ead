"""A worker with its folder and log for the length of one run. The seam where a warm worker will be handed out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Optional

from .client import Worker
from .environment import find_python, worker_command
from .log import Log
from .setting import profile_home, python_setting
from .workspace import Workspace, sweep_stale


@contextmanager
def worker_session(parent: Optional[str] = None) -> Iterator[Worker]:
    """A worker, started (torch loads while the caller reads rasters) and ended with all it left at the end.

    parent  folder for temporary files; None takes the system's. Only the log of a failed run stays. Raises
    EnvironmentMissing where no Python for the worker is known, WorkerDied where it cannot be started.
    """
    command = worker_command(find_python(python_setting(), home=profile_home()))
    sweep_stale(parent)
    with Workspace(parent) as workspace, closing(Log(parent)) as log, Worker(command, workspace, log) as worker:
        yield worker
