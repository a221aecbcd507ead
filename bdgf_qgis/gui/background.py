"""Runs a slow look at something beside the window, and hands the answer back to it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from qgis.PyQt.QtCore import QObject, QTimer

_LOOK = 50  # milliseconds between two looks for the answer


def in_background(owner: QObject, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
    """Call `work` in a thread, then `done` with its result in the window's; nothing where `owner` is gone by then.

    An OSError of `work` counts as no answer. The thread touches nothing of Qt: a timer of the owner looks for answers.
    """
    answers: list[Any] = []

    def run() -> None:
        with contextlib.suppress(OSError):
            answers.append(work())

    thread = threading.Thread(target=run, name="bdgf-look", daemon=True)
    timer = QTimer(owner)

    def look() -> None:
        if not thread.is_alive():
            timer.stop()
            timer.deleteLater()
            if answers:
                done(answers[0])

    timer.timeout.connect(look)
    timer.start(_LOOK)
    thread.start()
