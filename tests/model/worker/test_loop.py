"""Parts of the worker's loop, in this process and without torch."""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from bdgf.model.errors import InputError, JobCancelled
from bdgf.model.job.failures import failure_of
from bdgf.model.job.reporter import Reporter
from bdgf.model.shared.events import Event, Note, Progress
from bdgf.model.shared.header import ModelFileError
from bdgf.model.shared.jobs import Cancel, ClassifyJob, Finish, Quit
from bdgf.model.shared.messages import Message, encode
from bdgf.model.worker.channel import Channel, Inbox
from bdgf.model.worker.loop import clear_folder

JOB = ClassifyJob("model", "cpu", False)


class Line:
    """A pipe with an inbox at its other end."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self.ended = threading.Event()
        self.end: BinaryIO = os.fdopen(writing, "wb")
        self._stream = os.fdopen(reading, "rb")
        self.inbox = Inbox(self._stream, lambda inbox: self.ended.set())

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.write((encode(message) + "\n").encode())

    def write(self, data: bytes) -> None:
        self.end.write(data)
        self.end.flush()

    def close(self) -> None:
        self.end.close()
        assert self.ended.wait(5)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


def test_cancel_hits_the_jobs_before_it_and_no_later_one(line: Line) -> None:
    line.send(JOB, Cancel(), JOB, Finish())
    received = [line.inbox.next() for _ in range(4)]
    assert [each.job for each in received if each] == [1, 1, 2, 2]
    assert line.inbox.cancelled(1)
    assert not line.inbox.cancelled(2)


def test_broken_lines_are_told_and_the_next_is_read(line: Line) -> None:
    line.write(b"no json\n\xff\xfe\n[[]]\n" + b"[" * 100_000 + b"\n")
    line.send(JOB)
    received = [line.inbox.next() for _ in range(5)]
    assert all(each is not None and each.broken and each.message is None for each in received[:4])
    assert received[4] is not None and received[4].message == JOB


@pytest.mark.parametrize("polite", [True, False])
def test_end_of_stdin_means_that_qgis_is_gone_unless_it_said_so(polite: bool) -> None:
    line = Line()
    line.send(JOB)
    assert line.inbox.next() is not None
    if polite:
        line.send(Quit())
    line.close()
    assert line.inbox.cancelled(1), "a running job stops"
    assert line.inbox.next() is None
    assert line.inbox.parent_gone is not polite


def test_channel_outlives_a_reader_that_is_gone() -> None:
    reading, writing = os.pipe()
    channel = Channel(open(os.devnull, "rb"), os.fdopen(writing, "wb", buffering=0))
    os.close(reading)
    channel.send(Note("info", "x" * 100_000))


def test_reporter_thins_out_progress_and_checks_for_cancel() -> None:
    events: list[Event] = []
    stop = threading.Event()
    reporter = Reporter(events.append, stop.is_set)
    for step in range(1000):
        reporter.progress("train", step / 1000, "step")
    reporter.progress("train", 1.0)
    reporter.progress("assess", -0.5)
    assert len(events) < 20
    assert events[0] == Progress("train", 0.0, "step")
    assert events[-2:] == [Progress("train", 1.0), Progress("assess", 0.0)]
    reporter.check()
    stop.set()
    with pytest.raises(JobCancelled):
        reporter.check()
    with pytest.raises(JobCancelled):
        reporter.progress("assess", 0.5)


class OwnMemoryError(MemoryError):
    """Stands for one of the model's own."""


OwnMemoryError.__module__ = "bdgf.model.somewhere"


@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        (InputError("Draw more."), "input", "Draw more."),
        (ModelFileError("Damaged."), "input", "Damaged."),
        (FileNotFoundError(errno.ENOENT, "No such file", "/a/b"), "input", "/a/b cannot be read or written: No such"),
        (OSError(errno.ENOSPC, "No space left"), "input", "disk is full"),
        (MemoryError(), "memory", r"Memory ran out \(MemoryError\)"),
        (OwnMemoryError("Not one patch fits."), "memory", "^Not one patch fits.$"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "memory", "smaller preset"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "memory", "DEVICE to cpu"),
        (RuntimeError("CUDA error: unspecified launch failure\nmore lines"), "device", "launch failure[)]. Run again"),
        (RuntimeError("shapes do not fit"), "internal", "RuntimeError: shapes do not fit"),
        (ValueError("not meant for users"), "internal", "ValueError"),
        (KeyError("x"), "internal", "KeyError"),
    ],
)
def test_reasons(error: Exception, reason: str, text: str) -> None:
    failed = failure_of(error)
    assert failed.reason == reason
    assert re.search(text, failed.text)


def test_only_folders_of_ours_are_cleared(tmp_path: Path) -> None:
    here = os.getcwd()
    other, own = tmp_path / "Documents", tmp_path / "bdgf-1-x"
    for folder in (other, own):
        folder.mkdir()
        (folder / "file").write_text("x")
    try:
        clear_folder(str(other))
        assert (other / "file").exists()
        clear_folder(str(own))
        assert not own.exists()
    finally:
        os.chdir(here)
