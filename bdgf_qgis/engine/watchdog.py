"""Sees to it that no wait for the worker is silent or without end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from ...model.shared.events import Alive, Event, Progress, Ready
from .progress_bar import PHASE_NAMES
from .wait_timer import WaitTimer, in_words
from .worker import Worker


@dataclass(frozen=True)
class Limits:
    """Seconds. The worker says every 5 s that it lives, whatever it computes, so silence is a bad sign.

    silent          no sign of life: then a warning
    silent_end      then the run is ended
    loading_end     the same while torch loads, which may hold the whole process up on a slow disk
    still           it lives, but what it does has not gone on: then a warning
    still_end       then the run is ended; the longest step on a slow processor takes minutes
    check_end       the same for a check of the devices, which a broken driver holds up
    """

    silent: float = 60.0
    silent_end: float = 600.0
    loading_end: float = 1800.0
    still: float = 300.0
    still_end: float = 3600.0
    check_end: float = 900.0


class Watchdog:
    """Watches one job.

    Args:
        worker: at work.
        note: takes a level and a line for the log.
        limits: see there.

    heard() takes each event, look() is called while there is none and raises WorkerDied where waiting has an end.
    """

    def __init__(
        self,
        worker: Worker,
        note: Callable[[str, str], None],
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker = worker
        self._note = note
        self._limits = limits
        self._silent, self._still = WaitTimer(clock), WaitTimer(clock)
        self._moves: Optional[int] = None
        self._doing = "Loading torch" if worker.ready is None else PHASE_NAMES["prepare"]

    def heard(self, event: Event) -> None:
        """A sign of life, and of going on unless it is no more than that."""
        if self._silent.warned:
            self._note("info", "The worker answers again.")
        self._silent.over()
        if isinstance(event, Alive):
            moved = self._moves is not None and event.moves != self._moves
            self._moves = event.moves
            if not moved:
                return
        elif isinstance(event, Ready):
            self._doing = PHASE_NAMES["prepare"]
        elif isinstance(event, Progress):
            self._doing = PHASE_NAMES[event.phase]
        self._still.over()

    def look(self) -> None:
        """Nothing was heard just now: warn, or end what has no end."""
        limits, silent, still = self._limits, self._silent.look(), self._still.look()
        silent_end = limits.silent_end if self._worker.ready is not None else limits.loading_end
        still_end = limits.check_end if self._doing == PHASE_NAMES["check"] else limits.still_end
        who = f"process {self._worker.process_id}"
        if silent >= silent_end:
            raise self._worker.given_up(
                f"{who} gave no sign of life for {in_words(silent)} ({self._doing}) and was ended; run it again"
            )
        if still >= still_end:
            raise self._worker.given_up(
                f"{who} lived, but did not get on for {in_words(still)} ({self._doing}) and was ended; run it again, "
                "with DEVICE set to cpu if it computed on a graphics card"
            )
        if silent >= limits.silent and not self._silent.warned:
            self._silent.warned = True
            self._warn(
                f"gave no sign of life for {in_words(silent)}", "it may have been stopped, or swap memory", silent_end
            )
        elif still >= limits.still and not self._still.warned:
            self._still.warned = True
            self._warn(f"lives, but did not get on for {in_words(still)}", "it may hang", still_end)

    def _warn(self, what: str, why: str, end: float) -> None:
        self._note(
            "warning",
            f"The worker (process {self._worker.process_id}) {what} ({self._doing}): {why}. Cancel ends it; after "
            f"{in_words(end)} it is ended. Its log is {self._worker.log.path}.",
        )
