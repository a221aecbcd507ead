"""How long a phase that counts steps will take: a mean over the last minute, silent until it means something."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from ...model.shared.messages import Progress

_EARLY = 5.0  # seconds of steps before which no time is given
_FEWEST = 4  # steps likewise: their windows are of several sizes
_SPAN = 60.0  # seconds over which the mean goes


@dataclass(frozen=True)
class StepPace:
    """Where a phase is.

    step, count  number of the step under way (from 1), and of all steps
    left         seconds that are left of the phase; None while it is too early to tell
    last         whether no other long phase follows
    """

    step: int
    count: int
    left: Optional[float]
    last: bool


class StepMeter:
    """Follows the steps of one job; `last` is the phase after which the job is as good as done."""

    def __init__(self, last: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._last = last
        self._clock = clock
        self._phase = ""
        self._seen: deque[tuple[float, int]] = deque()  # times, and steps done by then

    def pace(self, event: Progress) -> Optional[StepPace]:
        """Where the phase is; None where it counts no steps."""
        if not event.steps:
            return None
        now = self._clock()
        if event.phase != self._phase:  # the first step loads kernels and is slow: counting begins after it
            self._phase = event.phase
            self._seen.clear()
        else:
            self._seen.append((now, event.step))
        while len(self._seen) > 2 and now - self._seen[1][0] >= _SPAN:
            self._seen.popleft()
        return StepPace(min(event.step + 1, event.steps), event.steps, self._left(event), event.phase == self._last)

    def _left(self, event: Progress) -> Optional[float]:
        if not self._seen:
            return None
        (began, first), (now, step) = self._seen[0], self._seen[-1]
        if now - began < _EARLY or step - first < _FEWEST:
            return None
        return max(0, event.steps - step) * (now - began) / (step - first)
