"""The worker's loop: takes jobs from QGIS one after another, runs them, tells how they went."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import os
import platform
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Protocol

from ..errors import JobCancelled
from ..job.failures import failure_of
from ..job.reporter import Reporter
from ..shared.events import (
    BlockDone,
    Cancelled,
    Checked,
    Classified,
    Event,
    Failed,
    Grown,
    Pretrained,
    Ready,
    Segmented,
    Trained,
)
from ..shared.jobs import Block, CheckJob, ClassifyJob, Finish, GrowJob, PretrainJob, SegmentJob, TrainJob
from ..shared.messages import FOLDER_PREFIX, WORK
from .channel import Channel, Inbox, Received
from .heartbeat import Heartbeat

_GRACE = 5.0  # seconds that a job has to stop after the line to QGIS ended
_REST = 1.0  # seconds without a job after which memory that is free goes back to the system


class BlockRunner(Protocol):
    """A loaded model: a pure function of arrays."""

    def run(self, block: Block) -> BlockDone:
        """Classify one block and write its result files; its maps of the arrays are closed on return."""


class Runner(Protocol):
    """What does the work of each kind of job."""

    def pretrain(self, job: PretrainJob, reporter: Reporter) -> Pretrained:
        """Learn the diffusion model and write it."""

    def train(self, job: TrainJob, reporter: Reporter) -> Trained:
        """Train the classifier and write it."""

    def open_classifier(self, job: ClassifyJob, reporter: Reporter) -> BlockRunner:
        """Load the model."""

    def check(self, job: CheckJob, reporter: Reporter) -> Checked:
        """Try what the network computes."""

    def grow(self, job: GrowJob, reporter: Reporter) -> Grown:
        """Find the tolerances at which pixels join a region."""

    def segment(self, job: SegmentJob, reporter: Reporter) -> Segmented:
        """Cut the visible pixels into superpixels."""


class ModelRunner:
    """BDGF itself; its modules are imported when a job first needs them."""

    def pretrain(self, job: PretrainJob, reporter: Reporter) -> Pretrained:
        """See model.training."""
        from ..training.jobs import pretrain

        return pretrain(job, reporter)

    def train(self, job: TrainJob, reporter: Reporter) -> Trained:
        """See model.training."""
        from ..training.jobs import train

        return train(job, reporter)

    def open_classifier(self, job: ClassifyJob, reporter: Reporter) -> BlockRunner:
        """See model.inference."""
        from ..prediction.blocks import BlockClassifier

        return BlockClassifier(job, reporter)

    def check(self, job: CheckJob, reporter: Reporter) -> Checked:
        """See model.check."""
        from ..device.check import check

        return check(job, reporter)

    def grow(self, job: GrowJob, reporter: Reporter) -> Grown:
        """See model.regions."""
        from ..regions.jobs import grow

        return grow(job, reporter)

    def segment(self, job: SegmentJob, reporter: Reporter) -> Segmented:
        """See model.regions."""
        from ..regions.jobs import segment

        return segment(job, reporter)


def load_torch() -> Ready:
    """Import what takes seconds. Raises ImportError or OSError where the worker's Python lacks it."""
    import numpy  # noqa: F401
    import torch

    return Ready(platform.python_version(), torch.__version__)


def load_scikit_image() -> Ready:
    """Import what regions need, and no torch. Raises ImportError or OSError where the worker's Python lacks it."""
    import numpy  # noqa: F401
    import skimage.morphology
    import skimage.segmentation  # noqa: F401

    return Ready(platform.python_version(), "")


def serve(runner: Runner, load: Callable[[], Ready] = load_torch) -> int:
    """Run jobs until QGIS has no more; returns the exit status of the process."""
    folder = os.getcwd()
    channel = Channel.take_over()
    faulthandler.enable()
    heart = Heartbeat(channel.send)
    try:
        with heart.busy():
            ready = load()
    except (ImportError, OSError) as error:
        traceback.print_exc()
        channel.send(_load_failure(error, load))
        return 1
    inbox = Inbox(channel.stdin, on_end=lambda ended: _stop_later(ended, folder))
    channel.send(ready)
    rest = threading.Timer(_REST, return_memory)
    while (received := inbox.next()) is not None:
        rest.cancel()
        if received.broken:
            channel.send(Failed("internal", f"A message from QGIS could not be read ({received.broken})."))
        elif isinstance(received.message, WORK):
            with heart.busy():
                answer = _answer(runner, received, inbox, channel, heart)
                free_memory()  # before the answer: then QGIS may delete the files of the job
            channel.send(answer)
            rest = threading.Timer(_REST, return_memory)
            rest.daemon = True
            rest.start()
        # Blocks and Finish of a job that has ended, and a Cancel that came too late, are passed over.
    if inbox.parent_gone:
        clear_folder(folder)
    return 0


def _answer(runner: Runner, received: Received, inbox: Inbox, channel: Channel, heart: Heartbeat) -> Event:
    """Run one job to its end and return its last event."""
    reporter = Reporter(channel.send, lambda: inbox.cancelled(received.job), heart.moved)
    job = received.message
    try:
        reporter.check()
        if isinstance(job, PretrainJob):
            return runner.pretrain(job, reporter)
        if isinstance(job, TrainJob):
            return runner.train(job, reporter)
        if isinstance(job, CheckJob):
            return runner.check(job, reporter)
        if isinstance(job, GrowJob):
            return runner.grow(job, reporter)
        if isinstance(job, SegmentJob):
            return runner.segment(job, reporter)
        if isinstance(job, ClassifyJob):
            return _classify(runner.open_classifier(job, reporter), inbox, reporter, channel, heart)
        raise TypeError(f"{job} is no job")
    except JobCancelled:
        return Cancelled()
    except Exception as error:  # whatever happens in a job is told, and the worker stays
        traceback.print_exc()
        return failure_of(error)


def _classify(
    classifier: BlockRunner, inbox: Inbox, reporter: Reporter, channel: Channel, heart: Heartbeat
) -> Classified:
    pixels = 0
    while True:
        with heart.waiting():
            received = inbox.next()
        reporter.check()
        message = None if received is None else received.message
        if isinstance(message, Finish):
            return Classified(pixels)
        if not isinstance(message, Block):
            raise RuntimeError(f"a block was expected, not {received}")
        done = classifier.run(message)
        pixels += done.pixels
        channel.send(done)


def free_memory() -> None:
    """Let go of what a job held: an idle worker must not keep the graphics card, nor files, from others."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is None:
        return
    with contextlib.suppress(RuntimeError):  # of a card that has failed; QGIS then ends this process
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        elif torch.backends.mps.is_available():
            torch.mps.empty_cache()


def return_memory() -> None:
    """Return to the system what the C library keeps for the next job: after a training most of what it took."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # not every C library can
            ctypes.CDLL(None).malloc_trim(0)


def _load_failure(error: Exception, load: Callable[[], Ready]) -> Failed:
    wanted = "scikit-image and numpy" if load is load_scikit_image else "torch and numpy"
    return Failed(
        "environment",
        f"The Python at {sys.executable} cannot load {wanted} ({error}). Install them there, or name another "
        "Python in the setting bdgf/python or the variable BDGF_PYTHON.",
    )


def _stop_later(inbox: Inbox, folder: str) -> None:
    """Make sure that the process ends even where a job does not look at its reporter."""

    def stop() -> None:
        try:
            if inbox.parent_gone:
                clear_folder(folder)
        finally:
            if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
                os.killpg(0, signal.SIGKILL)  # with what the job may have started
            os._exit(3)

    timer = threading.Timer(_GRACE, stop)
    timer.daemon = True
    timer.start()


def clear_folder(folder: str) -> None:
    """Delete the worker's folder, left behind by a QGIS that is gone; only ever one of our temporary folders."""
    if not os.path.basename(folder).startswith(FOLDER_PREFIX):
        return
    with contextlib.suppress(OSError):
        os.chdir(os.path.dirname(folder))  # Windows keeps a current folder from being deleted
    shutil.rmtree(folder, ignore_errors=True)
