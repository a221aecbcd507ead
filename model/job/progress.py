"""Parts of a job that tell how far they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .reporter import Reporter


@dataclass(frozen=True)
class Span:
    """A part of a job: a phase between two fractions of the whole."""

    reporter: Reporter
    phase: str
    start: float
    end: float

    def steps(self, count: int, first: int = 0) -> Iterator[int]:
        """`first` to count - 1, reporting before each and stopping where the job was cancelled."""
        for step in range(first, count):
            self.reporter.check()
            share = self.start + (self.end - self.start) * step / count
            self.reporter.progress(self.phase, share, step=step, steps=count)
            yield step
        self.at(1.0)

    def at(self, share: float, text: str = "") -> None:
        """Reports a share of this part."""
        self.reporter.progress(self.phase, self.start + (self.end - self.start) * share, text)

    def still(self, share: float) -> Span:
        """A part of no length at a share of this one, for work that is not worth a progress of its own."""
        here = self.start + (self.end - self.start) * share
        return Span(self.reporter, self.phase, here, here)
