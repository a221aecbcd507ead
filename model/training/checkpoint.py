"""The state of a long job, kept now and then, so that the same job goes on from there after it was cut."""

from __future__ import annotations

import contextlib
import os
import time

from ..job.reporter import Reporter
from .state_file import DamagedState, State, read_state, write_state

EVERY = 60.0  # seconds between two states


class CheckpointFile:
    """Where a job keeps its state; one written by another job is passed over, and overwritten in time.

    Args:
        path: of the file; '' keeps nothing.
        job: a hash of all that the state belongs to.
        reporter: told of the first state, and where one cannot be written, which does not stop the job.
    """

    def __init__(self, path: str, job: str, reporter: Reporter) -> None:
        self.path = path
        self._job = job
        self._reporter = reporter
        self._last = time.monotonic()
        self._told = False

    @property
    def begun(self) -> bool:
        """Whether a state was kept: the run is long enough for it."""
        return self._told

    @property
    def due(self) -> bool:
        """Whether it is time for another state."""
        return bool(self.path) and time.monotonic() - self._last >= EVERY

    def save(self, state: State) -> None:
        """Keeps a state in place of the one before, whole or not at all."""
        if not self.path:
            return
        try:
            write_state(self.path, self._job, state)
        except OSError as error:
            self._tell("warning", f"The state of this run cannot be kept in {self.path} ({error}): if cut, it is lost.")
        else:
            self._tell("info", f"Should this run be cut, the same run goes on from its state in {self.path}.")
        self._last = time.monotonic()

    def load(self) -> State | None:
        """The state that this very job was cut at, None where there is none; a damaged one is discarded with a note."""
        if not self.path:
            return None
        try:
            return read_state(self.path, self._job)
        except DamagedState as error:
            self.discard(str(error))
            return None

    def discard(self, reason: str) -> None:
        """Take a state that cannot be used away, so that it does not stop the next run either."""
        text = f"The state of an earlier run in {self.path} cannot be used ({reason}): this run begins again."
        self._reporter.note("warning", text)
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def resumed(self, state: State) -> None:
        """Tell that the job has taken a state up."""
        self._told = True
        self._reporter.note("info", f"Going on from step {state.step} of a run that was cut.")

    def _tell(self, level: str, text: str) -> None:
        if not self._told:
            self._reporter.note(level, text)
        self._told = True
