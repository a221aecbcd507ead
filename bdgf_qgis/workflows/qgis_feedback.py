"""Processing's feedback as the plugin's own."""

from __future__ import annotations

import time
from typing import Optional

from qgis.core import QgsProcessingFeedback

from ...model.shared.text import plain_text
from ..feedback import Feedback

QUIET = 5.0  # seconds between two texts of one phase: QGIS writes every text to the log as well


class QgisFeedback(Feedback):
    """Hands progress and notes to Processing, and asks it about Cancel.

    quiet  seconds between two texts of one phase
    """

    def __init__(self, feedback: QgsProcessingFeedback, quiet: float = QUIET) -> None:
        self._feedback = feedback
        self._quiet = quiet
        self._phase: Optional[str] = None
        self._text = ""
        self._said = 0.0

    def is_cancelled(self) -> bool:
        """Whether the user wants to stop."""
        return bool(self._feedback.isCanceled())

    def at(self, share: float, text: str = "") -> None:
        """Show how far the run is; of `phase: details` a new phase is told at once, details now and then."""
        self._feedback.setProgress(100 * share)
        if not text:
            return
        phase, now = text.partition(":")[0], time.monotonic()
        if phase != self._phase or (text != self._text and now - self._said >= self._quiet):
            self._phase, self._text, self._said = phase, text, now
            self._feedback.setProgressText(text)

    def note(self, level: str, text: str) -> None:
        """Write to the log; Qt hangs on what a text must not hold, and the worker passes on names of files."""
        text = plain_text(text, lines=True)
        if level == "error":
            self._feedback.reportError(text)
        elif level == "warning":
            self._feedback.pushWarning(text)
        else:
            self._feedback.pushInfo(text)
