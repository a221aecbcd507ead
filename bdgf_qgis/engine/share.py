"""A share of the progress bar, for one of several jobs of a run."""

from __future__ import annotations

from .run import Feedback


class Share:
    """A feedback whose bar is the part from `begin` to `end` of another's."""

    def __init__(self, whole: Feedback, begin: float, end: float) -> None:
        self._whole = whole
        self._begin = begin
        self._end = end

    def is_cancelled(self) -> bool:
        """Whether the user wants to stop."""
        return self._whole.is_cancelled()

    def progress(self, fraction: float, text: str) -> None:
        """The job has come to `fraction` of its share."""
        self._whole.progress(self._begin + fraction * (self._end - self._begin), text)

    def note(self, level: str, text: str) -> None:
        """A line for the log."""
        self._whole.note(level, text)
