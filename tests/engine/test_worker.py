"""The worker process from outside, with real processes: started, spoken to, cancelled, killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.engine.errors import WorkerDied
from bdgf.bdgf_qgis.engine.worker import Worker, WorkerCommand
from bdgf.bdgf_qgis.files.workspace import Workspace
from bdgf.model.shared.events import Cancelled, Event, Note, Pretrained, Ready
from bdgf.tests.engine.helpers import pretrain, session_of, soon

Make = Callable[..., Worker]


def wait_for(worker: Worker, kind: type, seconds: float = 10.0) -> Event:
    """The next event of a kind."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        event = worker.next_event(0.1)
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind.__name__}")


def test_two_jobs_in_one_worker(workers: Make) -> None:
    worker = workers()
    worker.start()
    first = worker.process_id
    for _ in range(2):
        worker.send(pretrain("quick"))
        done = wait_for(worker, Pretrained)
        assert done.curves[0].values == (0.5, 0.25)
    assert worker.process_id == first
    assert worker.ready == Ready("3", "none")


def test_next_event_keeps_to_its_time(workers: Make) -> None:
    worker = workers("slow")
    worker.start()
    began = time.monotonic()
    assert worker.next_event(0.1) is None
    assert time.monotonic() - began < 0.3
    assert worker.next_event(0) is None


def test_worker_that_is_not_running(workers: Make) -> None:
    worker = workers()
    with pytest.raises(WorkerDied, match="not running"):
        worker.next_event(0.1)
    worker.stop()
    worker.stop()


def test_stop_while_idle_is_quick(workers: Make) -> None:
    worker = workers()
    worker.start()
    wait_for(worker, Ready)
    began = time.monotonic()
    worker.stop()
    assert time.monotonic() - began < 0.4
    assert not worker.running


def test_large_messages_both_ways_while_the_worker_still_loads(workers: Make) -> None:
    text = "Grüße\u2028" + "ab\n" * 2_000_000
    worker = workers("short")
    worker.start()
    began = time.monotonic()
    worker.send(pretrain("large", text))
    assert time.monotonic() - began < 0.5, "send waits for the worker"
    wait_for(worker, Ready)
    wait_for(worker, Note)  # which job it is
    answer = wait_for(worker, Note)
    assert isinstance(answer, Note) and answer.text == text[::-1]


def test_junk_on_stdout_and_a_reader_of_stdin_do_no_harm(workers: Make) -> None:
    worker = workers()
    worker.start()
    worker.send(pretrain("junk"))
    assert wait_for(worker, Pretrained)
    assert any("junk from a library" in line for line in worker.log.last_lines(20))


def test_line_that_is_no_message_is_reported(workers: Make) -> None:
    worker = workers("garbled")
    worker.start()
    with pytest.raises(WorkerDied, match=r"no message.*this is no JSON"):
        wait_for(worker, Ready)
    assert not worker.running


@pytest.mark.parametrize(
    ("what", "cause"), [("killed", "SIGKILL.*ran out of memory"), ("crash", "SIGSEGV"), ("leaves", "exit code 7")]
)
def test_death_is_told_with_cause_and_log_and_the_next_run_works(workers: Make, what: str, cause: str) -> None:
    worker = workers()
    worker.start()
    first = worker.process_id
    worker.send(pretrain(what))
    with pytest.raises(WorkerDied, match=cause) as caught:
        wait_for(worker, Pretrained)
    log = worker.log.keep()
    assert str(log) in str(caught.value)
    if what == "killed":
        assert "last words" in str(caught.value)
    if what == "crash":
        assert "Segmentation fault" in log.read_text()
    assert first is not None and soon(lambda: session_of(first) == [])
    worker.start()
    worker.send(pretrain("quick"))
    assert wait_for(worker, Pretrained)


def test_kill_9_from_outside_in_the_middle_of_a_job(workers: Make) -> None:
    worker = workers()
    worker.start()
    worker.send(pretrain("wait"))
    wait_for(worker, Note)
    assert worker.process_id is not None
    began = time.monotonic()
    os.kill(worker.process_id, signal.SIGKILL)
    with pytest.raises(WorkerDied, match="SIGKILL"):
        wait_for(worker, Pretrained)
    assert time.monotonic() - began < 2


def test_cancel_leaves_the_worker_ready_for_the_next_job(workers: Make) -> None:
    worker = workers()
    worker.start()
    worker.send(pretrain("wait"))
    wait_for(worker, Note)
    first = worker.process_id
    began = time.monotonic()
    assert worker.cancel() == Cancelled()
    assert time.monotonic() - began < 0.5
    worker.send(pretrain("quick"))
    assert wait_for(worker, Pretrained)
    assert worker.process_id == first


def test_cancel_that_comes_too_late_does_not_hit_the_next_job(workers: Make) -> None:
    worker = workers()
    worker.start()
    worker.send(pretrain("quick"))
    wait_for(worker, Ready)
    time.sleep(1.0)
    assert isinstance(worker.cancel(), Pretrained)
    worker.send(pretrain("quick"))
    assert wait_for(worker, Pretrained)


def test_cancel_of_a_job_that_does_not_listen_kills_it_and_its_children(workers: Make) -> None:
    worker = workers()
    worker.start()
    worker.send(pretrain("deaf"))
    wait_for(worker, Note)
    child = wait_for(worker, Note)
    assert isinstance(child, Note) and child.text.startswith("child")
    process = worker.process_id
    assert process is not None and len(session_of(process)) == 2
    began = time.monotonic()
    assert worker.cancel() is None
    assert time.monotonic() - began < 2
    assert soon(lambda: session_of(process) == [])
    worker.start()
    worker.send(pretrain("quick"))
    assert wait_for(worker, Pretrained)


def test_cancel_while_loading_is_at_once(workers: Make) -> None:
    worker = workers("slow")
    worker.start()
    worker.send(pretrain("quick"))
    assert worker.next_event(0.3) is None
    began = time.monotonic()
    assert worker.cancel() is None
    assert time.monotonic() - began < 0.6


def test_suspended_worker_is_ended(workers: Make) -> None:
    worker = workers()
    worker.start()
    wait_for(worker, Ready)
    assert worker.process_id is not None
    os.kill(worker.process_id, signal.SIGSTOP)
    began = time.monotonic()
    worker.stop()
    assert time.monotonic() - began < 2


def test_surroundings(workers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/of/qgis")
    monkeypatch.setenv("GDAL_DATA", "/of/qgis")
    monkeypatch.setenv("QGIS_PREFIX_PATH", "/of/qgis")
    monkeypatch.setenv("BDGF_KEPT", "grün")
    worker = workers()
    worker.start()
    worker.send(pretrain("surroundings"))
    wait_for(worker, Note)
    note = wait_for(worker, Note)
    assert isinstance(note, Note)
    facts = json.loads(note.text)
    folder = str(worker.workspace.path)
    assert facts["cwd"] == facts["environ"]["TMPDIR"] == folder
    assert facts["session"] == worker.process_id
    assert facts["environ"]["BDGF_KEPT"] == "grün"
    assert not {"PYTHONPATH", "GDAL_DATA", "QGIS_PREFIX_PATH"} & set(facts["environ"])


def test_log_stays_small(workers: Make) -> None:
    worker = workers()
    worker.start()
    worker.send(pretrain("noise"))
    largest = 0
    done = None
    while not isinstance(done, Pretrained):
        done = worker.next_event(0.1)
        largest = max(largest, worker.log.path.stat().st_size)
    worker.log.trim()
    assert worker.log.path.stat().st_size < 5_000_000
    assert largest < 10_000_000
    assert worker.log.last_lines(1)[0].startswith("0011999")


def test_python_that_cannot_be_started(folder: Path) -> None:
    with Workspace(str(folder)) as workspace:
        worker = Worker(WorkerCommand((str(folder / "no python"),), {}), workspace)
        with pytest.raises(WorkerDied, match="no python could not be started: No such file"):
            worker.start()
        assert not worker.running
