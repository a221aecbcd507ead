"""Runs one job: sends it, hands on progress and notes, hears Cancel, returns the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional, Union

from ...model.shared.events import (
    Alive,
    Cancelled,
    Checked,
    Event,
    Failed,
    Grown,
    Note,
    Pretrained,
    Progress,
    Ready,
    Segmented,
    Trained,
)
from ...model.shared.jobs import CheckJob, GrowJob, PretrainJob, SegmentJob, TrainJob, WorkJob
from ...model.shared.messages import FINAL
from ..feedback import Feedback, RunCancelled
from .answers import made_plain, problem_with
from .errors import WorkerFailed
from .pace import StepPace, StepTimer
from .progress_bar import ProgressBar
from .watchdog import Limits, Watchdog
from .worker import Worker, breaks

POLL = 0.1  # seconds between two looks at Cancel
LIMITS = Limits()
_PARTIAL_GRACE = 5.0  # seconds for a training to write the state it reached on Cancel


class Conversation:
    """One job's talk with the worker, which is started where it does not run.

    Raises RunCancelled, WorkerFailed or WorkerDied, also where the worker does not answer or its answers cannot be
    used; after each the worker can be given the next job.
    """

    def __init__(self, worker: Worker, job: WorkJob, feedback: Feedback) -> None:
        self.worker = worker
        self._job = job
        self._feedback = feedback
        self._over = False
        self._grace = _PARTIAL_GRACE if isinstance(job, TrainJob) and job.keep_partial else 0.8
        self.bar = ProgressBar(feedback, loading=worker.ready is None)
        self._watch = Watchdog(worker, feedback.note, LIMITS)
        worker.start()
        worker.send(job)

    def poll(self, stopping: Callable[[], None] = lambda: None) -> Optional[Event]:
        """Wait at most 0.1 s; returns an event that is more than talk.

        `stopping` is called first where the run is given up. A training that keeps its partial state returns it.
        """
        if self._feedback.is_cancelled():
            stopping()
            return self._cancel()
        event = self.worker.next_event(POLL)
        if event is not None:
            self._watch.heard(event)
            event = self._checked(event)
        if event is None or isinstance(event, Alive):
            self._watch.look()
        self._over = isinstance(event, FINAL)
        if isinstance(event, Ready):
            self.bar.ready()
        elif isinstance(event, Note):
            self._feedback.note(event.level, event.text)
        elif isinstance(event, Failed):
            stopping()
            if breaks(event):
                self.worker.stop(grace=0)
            raise WorkerFailed(event.reason, self._explained(event))
        elif isinstance(event, Cancelled) or (isinstance(event, Trained) and event.partial):
            stopping()
            raise self.worker.given_up("it broke the job off, though nobody cancelled")
        self.bar.tick()
        return event

    def abandon(self) -> None:
        """Give the job up unless it is over: an error on this side."""
        if not self._over:
            self._over = True
            self.worker.cancel()

    def _cancel(self) -> Event:
        self._over = True
        event = self.worker.cancel(self._grace)
        if isinstance(event, Trained) and event.partial:
            return self._checked(event)
        raise RunCancelled

    def _checked(self, event: Event) -> Event:
        problem = problem_with(event, self._job)
        if problem:
            raise self.worker.given_up(f"it gave an answer that cannot be used ({problem})")
        return made_plain(event)

    def _explained(self, event: Failed) -> str:
        return f"{event.text} The log is {self.worker.log.keep()}." if event.reason == "internal" else event.text


def run_job(
    worker: Worker,
    job: Union[PretrainJob, TrainJob, CheckJob, GrowJob, SegmentJob],
    feedback: Feedback,
    say: Callable[[StepPace], str] = lambda pace: f"step {pace.step} of {pace.steps}",
) -> Union[Pretrained, Trained, Checked, Grown, Segmented]:
    """Run a job to its end.

    say  makes the text of the bar while the job counts steps

    Raises RunCancelled, WorkerFailed (the worker says why) or WorkerDied (with cause and log); the worker can be given
    the next job after each of them.
    """
    talk = Conversation(worker, job, feedback)
    trains = isinstance(job, TrainJob) and bool(job.settings.branches.use)
    timer = StepTimer(last="train" if trains else "pretrain")
    try:
        while True:
            event = talk.poll()
            if isinstance(event, Progress):
                pace = timer.pace(event)
                talk.bar.report(event.phase, event.fraction, event.text if pace is None else say(pace))
            elif isinstance(event, (Pretrained, Trained, Checked, Grown, Segmented)):
                talk.bar.done()
                return event
    except BaseException:  # an error of the feedback, or Ctrl+C: the worker must not go on
        talk.abandon()
        raise
