"""How a running job speaks to QGIS, and hears that it is to stop."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import JobCancelled
from ..shared.events import Event, Note, Progress

_LEAST_GAP = 0.1  # seconds between two progress lines of one phase


class Reporter:
    """Handed to every job. Cheap enough to call at every optimiser step."""

    def __init__(
        self, send: Callable[[Event], None], cancelled: Callable[[], bool], moved: Callable[[], None] = lambda: None
    ) -> None:
        self._send = send
        self._cancelled = cancelled
        self._moved = moved
        self._phase = ""
        self._last = 0.0

    def check(self) -> None:
        """Note that the job goes on; raise JobCancelled if QGIS asked to stop or is gone."""
        self._moved()
        if self._cancelled():
            raise JobCancelled

    def progress(self, phase: str, fraction: float, text: str = "", step: int = 0, steps: int = 0) -> None:
        """Report a fraction of 0..1 of the whole job (in 'classify': of the block), and that so many optimiser steps of
        the phase are done; also checks for Cancel.

        Calls that follow too closely are left out, the first and last of a phase never.
        """
        self.check()
        now = time.monotonic()
        if phase == self._phase and fraction < 1 and now - self._last < _LEAST_GAP:
            return
        self._phase, self._last = phase, now
        self._send(Progress(phase, min(max(fraction, 0.0), 1.0), text, step, steps))

    def note(self, level: str, text: str) -> None:
        """Write a line to the log: level 'info' or 'warning'."""
        self._send(Note(level, text))
