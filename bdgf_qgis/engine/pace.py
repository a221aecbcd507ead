"""How fast blocks and steps are done, and how long those that are left will take; silent until it means something."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Optional

from ...model.shared.events import Progress

_EARLY = 5.0  # seconds of computing before which no figure is given: first batches load kernels and are slow
_FEWEST = 4  # steps likewise: their patches are of several sizes
_SPAN = 60.0  # seconds over which the mean of steps goes


@dataclass(frozen=True)
class BlockPace:
    """Where a classification is.

    block, blocks      number of the block under way (from 1), and of all blocks
    pixels_per_second  None while it is too early to tell
    seconds_left       None likewise
    device             on which the worker computes, in its words; '' before it says so
    """

    block: int
    blocks: int
    pixels_per_second: Optional[float] = None
    seconds_left: Optional[float] = None
    device: str = ""


@dataclass(frozen=True)
class StepPace:
    """Where a phase is that counts optimiser steps.

    step, steps   number of the step under way (from 1), and of all steps of the phase
    seconds_left  of the phase; None while it is too early to tell
    last          whether no other long phase follows
    """

    step: int
    steps: int
    seconds_left: Optional[float]
    last: bool


class BlockTimer:
    """Follows the blocks of one classification.

    Args:
        blocks: number of all blocks.
        finished: how many of them were finished by an earlier run.
        areas: pixels of the others in the order in which they are read; without them no rate is given.
    """

    def __init__(
        self, blocks: int, finished: int, areas: Sequence[int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.device = ""
        self._blocks = blocks
        self._finished = finished
        self._areas = areas
        self._clock = clock
        self._began: Optional[float] = None
        self._done = self._skipped = 0  # blocks
        self._pixels = self._skipped_pixels = 0

    def computing(self, device: str) -> None:
        """The worker computes: time counts from the first call on."""
        self.device = device or self.device
        if self._began is None:
            self._began = self._clock()

    def done(self, pixels: int) -> None:
        """A block of that many pixels is finished."""
        self._done += 1
        self._pixels += pixels

    def skipped(self, blocks: int, pixels: int) -> None:
        """So many blocks, of so many pixels together, had nothing to classify so far."""
        self._skipped, self._skipped_pixels = blocks, pixels

    def fraction(self, of_block: float) -> float:
        """How much of all blocks is over, 0..1; `of_block` is that of the block under way."""
        return min((self._finished + self._done + self._skipped + of_block) / max(1, self._blocks), 1.0)

    def pace(self, of_block: float, pixels: int) -> BlockPace:
        """Where the run is; the fraction `of_block` of the block under way, which has that many pixels, is computed."""
        block = min(self._finished + self._done + self._skipped + 1, self._blocks)
        seconds = 0.0 if self._began is None else self._clock() - self._began
        computed = self._pixels + of_block * pixels
        if seconds < _EARLY or not computed or not self._areas:
            return BlockPace(block, self._blocks, device=self.device)
        rate = computed / seconds
        seconds_left = max(0.0, sum(self._areas) - self._skipped_pixels - computed) / rate
        return BlockPace(block, self._blocks, rate, seconds_left, self.device)


class StepTimer:
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
        step = min(event.step + 1, event.steps)
        return StepPace(step, event.steps, self._seconds_left(event), event.phase == self._last)

    def _seconds_left(self, event: Progress) -> Optional[float]:
        if not self._seen:
            return None
        (began, first), (now, step) = self._seen[0], self._seen[-1]
        if now - began < _EARLY or step - first < _FEWEST:
            return None
        return max(0, event.steps - step) * (now - began) / (step - first)
