"""How the parts of a job tell how far they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class Reporter(Protocol):
    """What a job may say while it runs; the worker's own writes events."""

    def progress(self, phase: str, fraction: float, text: str = "") -> None:
        """A phase and how much of the whole job is done, 0 to 1."""

    def note(self, level: str, text: str) -> None:
        """A line for the log, level 'info' or 'warning'."""

    def check(self) -> None:
        """Raises JobCancelled where the job is to stop."""


@dataclass(frozen=True)
class Span:
    """A part of a job: a phase between two fractions of the whole."""

    reporter: Reporter
    phase: str
    start: float
    end: float

    def steps(self, count: int) -> Iterator[int]:
        """0 to count - 1, reporting before each and stopping where the job was cancelled."""
        for step in range(count):
            self.reporter.check()
            self.at(step / count, f"step {step + 1} of {count}")
            yield step
        self.at(1.0)

    def at(self, share: float, text: str = "") -> None:
        """Reports a share of this part."""
        self.reporter.progress(self.phase, self.start + (self.end - self.start) * share, text)
