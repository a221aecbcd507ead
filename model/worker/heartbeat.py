"""Tells QGIS that the worker lives, so that silence means trouble: from a thread, whatever the job is at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..shared.events import Alive, Event

EVERY = 5.0  # seconds


class Heartbeat:
    """Sends Alive every few seconds while there is something to do. Its thread reads nothing and ends with the process.

    Args:
        send: hands an event to QGIS.
    """

    def __init__(self, send: Callable[[Event], None]) -> None:
        self._send = send
        self._moves = 0
        self._waiting = False
        self._busy = threading.Event()
        self._telling = threading.Lock()
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def moved(self) -> None:
        """What is under way went on."""
        self._moves += 1  # two threads at once may count one for two: that it rises is all that is asked

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Something is under way."""
        self._busy.set()
        try:
            yield
        finally:
            with self._telling:  # no word after the answer that follows
                self._busy.clear()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The job waits for QGIS, which counts as going on."""
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._busy.wait()
            pause.wait(EVERY)
            with self._telling:
                if self._busy.is_set():
                    self._moves += self._waiting
                    self._send(Alive(self._moves))
