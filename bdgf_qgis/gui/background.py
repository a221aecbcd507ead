"""Runs a slow look at something beside the window, and hands the answer back to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QObject

_HIDDEN = QgsTask.Flag.CanCancel  # silent tasks are known to QGIS only from 3.26


def in_background(owner: QObject, title: str, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
    """Call `work` in a thread, then `done` with its result in the window's; nothing where `owner` is gone by then.

    An exception of `work` counts as no answer.
    """
    task = _Work(title, work)

    def finish() -> None:
        with contextlib.suppress(RuntimeError):  # the page was closed meanwhile
            owner.objectName()
            if task.ok:
                done(task.result)

    task.taskCompleted.connect(finish)
    owner.destroyed.connect(task.forget)
    QgsApplication.taskManager().addTask(task)
    task.keep = finish


class _Work(QgsTask):
    """A function as a task."""

    def __init__(self, title: str, work: Callable[[], Any]) -> None:
        super().__init__(title, _HIDDEN)
        self._work = work
        self.result: Any = None
        self.ok = False
        self.keep: Any = None

    def run(self) -> bool:
        """In the task's thread."""
        try:
            self.result = self._work()
            self.ok = True
        except Exception:  # a folder that vanished, a Python that cannot be started: there is no answer
            self.ok = False
        return self.ok

    def forget(self) -> None:
        """Nobody waits any more."""
        self.ok = False
