"""The worker that waits for the next run: who gets it, when it ends, and that nothing of it is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.engine.errors import WorkerDied, WorkerFailed
from bdgf.bdgf_qgis.engine.run import run_job
from bdgf.bdgf_qgis.engine.worker import Worker
from bdgf.bdgf_qgis.engine.worker_pool import WorkerPool
from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.bdgf_qgis.plugin import BdgfPlugin
from bdgf.bdgf_qgis.workflows import session
from bdgf.bdgf_qgis.workflows.session import end_idle_worker, worker_session
from bdgf.tests.engine.helpers import Recorder, fake_start, pretrain, session_of, soon

LONG = 60.0  # seconds; no test waits for it


class Lender:
    """Runs of a fake worker in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pool = WorkerPool()
        self.processes: list[int] = []

    def run(self, what: str = "quick", seconds: float = LONG, load: str = "", feedback: Recorder | None = None) -> int:
        """The id of the process that did it."""
        with self.pool.lend(fake_start(load), str(self.folder), seconds) as worker:
            return self.job(worker, what, feedback)

    def job(self, worker: Worker, what: str = "quick", feedback: Recorder | None = None) -> int:
        process = worker.process_id
        assert process is not None
        self.processes.append(process)
        (worker.workspace.job_folder() / "a block.npy").write_text("pixels")
        run_job(worker, pretrain(what), feedback or Recorder())
        return process

    @property
    def alive(self) -> list[int]:
        return [each for each in dict.fromkeys(self.processes) if session_of(each)]

    def folders(self) -> list[Path]:
        return [each for each in self.folder.iterdir() if each.is_dir()]


@pytest.fixture
def lender(folder: Path) -> Iterator[Lender]:
    lender = Lender(folder)
    yield lender
    lender.pool.end()
    assert soon(lambda: lender.alive == [])
    assert lender.folders() == []
    assert soon(lambda: not [each for each in threading.enumerate() if each.name.startswith("bdgf-")])


def test_the_next_run_has_the_same_process_and_no_files_of_the_last(lender: Lender) -> None:
    first = lender.run(load="short")
    assert lender.alive == [first]
    (left,) = lender.folders()
    assert sorted(each.name for each in left.iterdir()) == ["lock", "worker.log"]
    feedback = Recorder()
    assert lender.run(load="short", feedback=feedback) == first
    assert feedback.seconds < 1.4, "torch was not loaded again"
    assert not any("loading torch" in text for _, _, text in feedback.bar)


def test_it_ends_when_it_was_idle_for_long_enough(lender: Lender) -> None:
    lender.run(seconds=0.4)
    second = lender.run(seconds=0.4)
    assert lender.alive == [second], "a run sets the clock back"
    assert soon(lambda: lender.alive == [] and lender.folders() == [])
    assert lender.run(seconds=LONG) != second


def test_no_idle_time_ends_it_with_its_run(lender: Lender) -> None:
    lender.run(seconds=0)
    assert lender.alive == [] and lender.folders() == []


def test_two_runs_at_once_have_a_worker_each_and_one_of_them_waits(lender: Lender) -> None:
    first = lender.run()
    both, found = threading.Barrier(2, timeout=20), []

    def one() -> None:
        with lender.pool.lend(fake_start(), str(lender.folder), LONG) as worker:
            both.wait()
            found.append(lender.job(worker))
            both.wait()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert len(set(found)) == 2 and first in found
    assert soon(lambda: len(lender.alive) == 1)
    assert [lender.run()] == lender.alive
    assert len(lender.folders()) == 1


def test_one_that_died_while_it_waited_is_replaced(lender: Lender) -> None:
    first = lender.run()
    os.kill(first, signal.SIGKILL)
    assert soon(lambda: lender.alive == [])
    time.sleep(0.3)  # its last threads may still be ending, and only then can it be waited for
    assert lender.run() != first
    assert len(lender.folders()) == 1


def test_one_whose_folder_was_cleaned_away_is_replaced(lender: Lender) -> None:
    first = lender.run()
    (folder,) = lender.folders()
    shutil.rmtree(folder)
    second = lender.run()
    assert second != first and lender.alive == [second]


@pytest.mark.parametrize("change", ["command", "variable"])
def test_another_start_takes_another_worker(lender: Lender, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = lender.run()
    if change == "variable":
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    second = lender.run(load="other" if change == "command" else "")
    assert second != first and lender.alive == [second]
    assert len(lender.folders()) == 1


@pytest.mark.parametrize(
    ("what", "error", "kept"),
    [
        ("input", WorkerFailed, True),
        ("wait", RunCancelled, True),
        ("silent", RunCancelled, False),  # does not hear Cancel in time
        ("breaks", RunCancelled, False),  # fails on hearing Cancel
        ("unexpected", WorkerFailed, False),
        ("killed", WorkerDied, False),
    ],
)
def test_only_one_that_is_trusted_is_kept(lender: Lender, what: str, error: type[Exception], kept: bool) -> None:
    lender.run()
    with pytest.raises(error) as caught:
        lender.run(
            what, feedback=Recorder(lambda recorder: what in ("wait", "silent", "breaks") and recorder.seconds > 0.3)
        )
    assert bool(lender.alive) is kept and bool(lender.folders()) is kept
    logs = list(lender.folder.glob("*.log"))
    assert all(str(log) in str(caught.value) for log in logs)
    assert len(logs) == (what in ("unexpected", "killed")), "the log of a failed run stays"
    assert (lender.run() in lender.processes[:1]) is kept


def test_a_run_that_fails_on_this_side_keeps_the_worker_unless_it_is_at_work(lender: Lender) -> None:
    first = lender.run()
    with pytest.raises(KeyError), lender.pool.lend(fake_start(), str(lender.folder), LONG) as worker:
        raise KeyError("a raster is missing")
    assert lender.alive == [first]
    with pytest.raises(KeyError), lender.pool.lend(fake_start(), str(lender.folder), LONG) as worker:
        worker.send(pretrain("wait"))
        raise KeyError("gone in the middle")
    assert lender.alive == [] and lender.folders() == []


def test_unloading_the_plugin_ends_it(lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "worker_command", lambda python: fake_start())
    with worker_session(str(lender.folder)) as worker:
        lender.job(worker)
    assert len(lender.alive) == 1
    BdgfPlugin().unload()
    assert lender.alive == [] and lender.folders() == []
    end_idle_worker()  # twice is once


def test_one_that_is_lent_when_the_plugin_is_unloaded_ends_with_its_run(lender: Lender) -> None:
    with lender.pool.lend(fake_start(), str(lender.folder), LONG) as worker:
        lender.job(worker)
        lender.pool.end()
        lender.job(worker)
    assert lender.alive == [] and lender.folders() == [], "nobody is left who would end it"
    lender.run()
    assert len(lender.alive) == 1


QGIS = """
import os, signal, sys
from bdgf.bdgf_qgis.workflows import session
from bdgf.tests.engine.helpers import fake_start
session.chosen_python = lambda: None
session.worker_command = lambda python: fake_start()
with session.worker_session(sys.argv[1]) as worker:
    while worker.ready is None:
        worker.next_event(0.1)
print(worker.process_id, flush=True)
if sys.argv[2] == "crash":
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "no farewell":
    os._exit(0)  # as QGIS does, which never finalises Python
"""


@pytest.mark.parametrize("end", ["exit", "no farewell", "crash"])
def test_it_ends_with_qgis_however_that_ends(folder: Path, end: str) -> None:
    done = subprocess.run([sys.executable, "-c", QGIS, str(folder), end], stdout=subprocess.PIPE, text=True, timeout=30)
    process = int(done.stdout)
    assert soon(lambda: session_of(process) == [])
    assert soon(lambda: list(folder.iterdir()) == [])
