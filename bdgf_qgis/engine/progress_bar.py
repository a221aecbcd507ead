"""What the user sees of a job: a bar that never goes back and never stands still."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ..feedback import Feedback

LOADING = 0.03  # share of the bar for loading torch
_GAP = 0.3  # seconds between two shows without news
_REACH = 0.02  # how far the bar may run ahead of the last true figure
_PACE = 20.0  # seconds in which it covers two thirds of that
PHASE_NAMES = {
    "prepare": "Preparing",
    "pretrain": "Learning the scene without labels",
    "train": "Training on the samples",
    "assess": "Measuring accuracy",
    "classify": "Classifying",
    "check": "Checking",
}


class ProgressBar:
    """Turns reports of the worker into a bar of 0..1 with a text.

    feedback  shown fraction and text
    loading   whether torch is still to be loaded
    """

    def __init__(self, feedback: Feedback, loading: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._feedback = feedback
        self._clock = clock
        self._loading = loading
        self._start = LOADING if loading else 0.0
        self._began = self._last = clock()
        self._true = 0.0
        self._shown = 0.0
        self._text = "Starting BDGF"
        self._display()

    def ready(self) -> None:
        """Torch is loaded."""
        self._loading = False
        self._text = "BDGF is ready"
        self._move(self._start)

    def report(self, phase: str, fraction: float, text: str) -> None:
        """A phase has come to `fraction` of the whole job."""
        self._loading = False
        name = PHASE_NAMES.get(phase, phase)
        self._text = f"{name}: {text}" if text else name
        self._move(self._start + fraction * (1 - self._start))

    def tick(self) -> None:
        """Move on a little where nothing was heard for a while."""
        if self._clock() - self._last >= _GAP:
            self._display()

    def done(self) -> None:
        """The job is over."""
        self._true = self._shown = 1.0
        self._feedback.at(1.0, self._text)

    def _move(self, fraction: float) -> None:
        self._true = max(self._true, fraction)
        self._display()

    def _display(self) -> None:
        now = self._clock()
        limit = min(0.999, self._start if self._loading else self._true + _REACH)
        crept = self._shown + max(0.0, limit - self._shown) * (1 - math.exp((self._last - now) / _PACE))
        self._shown = min(0.999, max(self._true, crept))
        self._last = now
        text = f"{self._text}: loading torch, {now - self._began:.0f} s" if self._loading else self._text
        self._feedback.at(self._shown, text)
