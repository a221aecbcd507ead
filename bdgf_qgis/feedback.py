"""The engine's view of a Processing feedback."""

from __future__ import annotations

from qgis.core import QgsProcessingFeedback


class QgisFeedback:
    """Hands progress and notes to Processing, and asks it about Cancel.

    begin, end  the share of the bar in percent that the run has
    """

    def __init__(self, feedback: QgsProcessingFeedback, begin: float = 0.0, end: float = 100.0) -> None:
        self._feedback = feedback
        self._begin = begin
        self._end = end

    def is_cancelled(self) -> bool:
        """Whether the user wants to stop."""
        return bool(self._feedback.isCanceled())

    def progress(self, fraction: float, text: str) -> None:
        """Show how far the run is."""
        self._feedback.setProgress(self._begin + fraction * (self._end - self._begin))
        self._feedback.setProgressText(text)

    def note(self, level: str, text: str) -> None:
        """Write to the log."""
        if level == "warning":
            self._feedback.pushWarning(text)
        else:
            self._feedback.pushInfo(text)
