"""How fast a classification runs, and how long it will take: a running mean, silent until it means something."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Optional

_EARLY = 5.0  # seconds of computing before which no figure is given: the first windows are slow


@dataclass(frozen=True)
class Pace:
    """Where a classification is.

    block, count  number of the block under way (from 1), and of all blocks
    rate          pixels a second; None while it is too early to tell
    left          seconds that are left; None likewise
    device        on which the worker computes, in its words; '' before it says so
    """

    block: int
    count: int
    rate: Optional[float] = None
    left: Optional[float] = None
    device: str = ""


class PaceMeter:
    """Follows the blocks of one classification.

    Args:
        count: number of all blocks.
        finished: how many of them were finished by an earlier run.
        areas: pixels of the others in the order in which they are read; without them no rate is given.
    """

    def __init__(
        self, count: int, finished: int, areas: Sequence[int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.device = ""
        self._count = count
        self._finished = finished
        self._areas = areas
        self._clock = clock
        self._began: Optional[float] = None
        self._done = self._skipped = 0  # blocks
        self._pixels = self._empty = 0  # pixels of those

    def computing(self, device: str) -> None:
        """The worker computes: time counts from the first call on."""
        self.device = device or self.device
        if self._began is None:
            self._began = self._clock()

    def done(self, pixels: int) -> None:
        """A block of that many pixels is finished."""
        self._done += 1
        self._pixels += pixels

    def skipped(self, count: int, pixels: int) -> None:
        """So many blocks, of so many pixels together, had nothing to classify so far."""
        self._skipped, self._empty = count, pixels

    def share(self, part: float) -> float:
        """Share 0..1 of all blocks that is over; `part` is that of the block under way."""
        return min((self._finished + self._done + self._skipped + part) / max(1, self._count), 1.0)

    def pace(self, part: float, pixels: int) -> Pace:
        """Where the run is; `part` of the block under way, which has that many pixels, is computed."""
        block = min(self._finished + self._done + self._skipped + 1, self._count)
        seconds = 0.0 if self._began is None else self._clock() - self._began
        computed = self._pixels + part * pixels
        if seconds < _EARLY or not computed or not self._areas:
            return Pace(block, self._count, device=self.device)
        rate = computed / seconds
        left = max(0.0, sum(self._areas) - self._empty - computed) / rate
        return Pace(block, self._count, rate, left, self.device)
