"""Progress, Cancel and log of a run: one object, handed down from Processing to whatever takes long."""

from __future__ import annotations


class RunCancelled(Exception):
    """The user cancelled, and what was under way is over."""


class Feedback:
    """Whom work reports to: this one shows nothing and never cancels; what shows or cancels overrides three methods.

    Called in the thread that runs the work, is_cancelled() in any.
    """

    def is_cancelled(self) -> bool:
        """Whether the user wants to stop."""
        return False

    def at(self, share: float, text: str = "") -> None:
        """The work has come to `share` (0..1, never falling) and does what `text` says; '' leaves the last text."""

    def note(self, level: str, text: str) -> None:
        """A line for the log, level 'info', 'warning' or 'error'."""

    def check(self) -> None:
        """Raise RunCancelled where the user wants to stop."""
        if self.is_cancelled():
            raise RunCancelled

    def part(self, begin: float, end: float, text: str = "") -> Feedback:
        """For a part of the work: its 0..1 is `begin` to `end` of this one's. A text is shown at once."""
        if text:
            self.at(begin, text)
        return _Part(self, begin, end)

    def info(self, *texts: str) -> None:
        """Lines for the log."""
        for text in texts:
            self.note("info", text)

    def warn(self, *texts: str) -> None:
        """Warnings for the log."""
        for text in texts:
            self.note("warning", text)


class _Part(Feedback):
    def __init__(self, whole: Feedback, begin: float, end: float) -> None:
        self._whole = whole
        self._begin = begin
        self._end = end

    def is_cancelled(self) -> bool:
        return self._whole.is_cancelled()

    def at(self, share: float, text: str = "") -> None:
        self._whole.at(self._begin + share * (self._end - self._begin), text)

    def note(self, level: str, text: str) -> None:
        self._whole.note(level, text)


SILENT = Feedback()
