"""How long something has been waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

_STRIDE = 1.0  # seconds that one look counts at most


class WaitTimer:
    """How long something has been waited for, in time in which QGIS looked.

    A computer that slept, or a QGIS that was stopped or wrote a large block, has not waited: hence no difference of
    two clock times.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = 0.0
        self.warned = False
        self._clock = clock
        self._last = clock()

    def look(self) -> float:
        """The seconds so far."""
        now = self._clock()
        self.seconds += min(now - self._last, _STRIDE)
        self._last = now
        return self.seconds

    def over(self) -> None:
        """It came."""
        self.seconds, self.warned, self._last = 0.0, False, self._clock()


def in_words(seconds: float) -> str:
    """Seconds as '40 s' or '12 min'."""
    return f"{seconds:.0f} s" if seconds < 55 else f"{round(seconds / 60)} min"
