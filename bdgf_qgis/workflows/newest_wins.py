"""A thread for answers to somebody who moves on: of two questions in one slot, only the newer is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Optional

Work = Callable[[Callable[[], bool]], None]


class NewestWins:
    """Does one piece of work after another, in the order asked. Its thread starts with the first.

    A piece is called with a function that says whether it is still wanted: not once a newer one was asked for in its
    slot, it was withdrawn, or close() was called. It must not raise.

    idle  called in the thread once nothing was asked for `idle_seconds`, and at the end
    """

    def __init__(self, name: str, idle: Callable[[], None], idle_seconds: float) -> None:
        self._name = name
        self._idle = idle
        self._idle_seconds = idle_seconds
        self._change = threading.Condition()
        self._waiting: dict[str, Work] = {}
        self._current: Optional[str] = None  # slot of the work under way, as long as that is wanted
        self._closed = False
        self._thread: Optional[threading.Thread] = None

    @property
    def busy(self) -> bool:
        """Whether wanted work is under way or waits."""
        with self._change:
            return self._current is not None or bool(self._waiting)

    def ask(self, slot: str, work: Work) -> None:
        """Have work done, in place of any of the same slot. Nothing happens once it was closed."""
        with self._change:
            if self._closed:
                return
            self._drop(slot)
            self._waiting[slot] = work
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._change.notify_all()

    def withdraw(self, slot: str) -> None:
        """Work of this slot is no longer wanted."""
        with self._change:
            self._drop(slot)

    def close(self, patience: float) -> bool:
        """Want nothing any more, and wait for the thread to end, at most so many seconds; whether it did."""
        with self._change:
            self._closed = True
            self._waiting.clear()
            self._current = None
            thread = self._thread
            self._change.notify_all()
        if thread is not None:
            thread.join(patience)
        return thread is None or not thread.is_alive()

    def _drop(self, slot: str) -> None:
        self._waiting.pop(slot, None)
        if self._current == slot:
            self._current = None

    def _run(self) -> None:
        rested = True
        while True:
            with self._change:
                if not self._waiting and not self._closed:
                    self._change.wait(None if rested else self._idle_seconds)
                if self._closed:
                    break
                slot = next(iter(self._waiting), None)
                work = None if slot is None else self._waiting.pop(slot)
                self._current = slot
            if work is not None:
                rested = False
                work(lambda: self._current is not None)
                with self._change:
                    self._current = None
            elif not rested:
                self._idle()
                rested = True
        self._idle()
