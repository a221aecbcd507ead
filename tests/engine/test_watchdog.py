"""No wait is silent or without end: a worker that is stopped, hangs or is not heard, rasters that never come."""

from __future__ import annotations

import io
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from bdgf.bdgf_qgis.engine import block_stream, pace, run
from bdgf.bdgf_qgis.engine import worker as worker_module
from bdgf.bdgf_qgis.engine.block_stream import Stopped, classify_blocks
from bdgf.bdgf_qgis.engine.errors import EngineError, WorkerDied
from bdgf.bdgf_qgis.engine.pace import StepTimer
from bdgf.bdgf_qgis.engine.run import run_job
from bdgf.bdgf_qgis.engine.wait_timer import WaitTimer
from bdgf.bdgf_qgis.engine.watchdog import Limits
from bdgf.bdgf_qgis.engine.worker import Worker
from bdgf.bdgf_qgis.workflows.pace_text import step_text
from bdgf.model.shared.events import Alive, Event, Progress
from bdgf.model.shared.jobs import Block
from bdgf.model.worker import heartbeat
from bdgf.model.worker.heartbeat import Heartbeat
from bdgf.tests.engine.helpers import Recorder, classify, pretrain, soon

Make = Callable[..., Worker]
PATIENCE = 8.0
QUICK = Limits(silent=0.5, silent_end=2.0, loading_end=4.0, still=0.5, still_end=2.0)


def patient() -> Recorder:
    return Recorder(lambda recorder: recorder.seconds > PATIENCE)


def test_a_stopped_worker_is_warned_of_and_then_ended(workers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LIMITS", QUICK)
    worker, feedback = workers("beats"), patient()
    worker.start()
    process = worker.process_id
    with pytest.raises(
        WorkerDied, match=rf"process {process} gave no sign of life for 2 s \(Preparing\) and was ended"
    ):
        run_job(worker, pretrain("stopped"), feedback)
    (warning,) = (each for each in feedback.notes if "no sign of life" in each)
    assert f"(process {process})" in warning and str(worker.log.path) in warning and "Cancel ends it" in warning
    feedback.check_bar()


def test_a_worker_that_goes_on_is_told_and_not_ended(workers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LIMITS", Limits(silent=0.5, silent_end=30.0))
    feedback = patient()
    run_job(workers("beats"), pretrain("pauses"), feedback)
    assert [each for each in feedback.notes if "answers again" in each]


def test_one_that_lives_but_does_not_get_on(workers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LIMITS", QUICK)
    feedback = patient()
    with pytest.raises(WorkerDied, match=r"lived, but did not get on for 2 s"):
        run_job(workers("beats"), pretrain("hangs"), feedback)
    assert [each for each in feedback.notes if "lives, but did not get on" in each]
    assert not [each for each in feedback.notes if "no sign of life" in each]


def test_loading_may_take_longer(workers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LIMITS", Limits(silent=0.5, silent_end=1.0, loading_end=2.0))
    feedback = patient()
    with pytest.raises(WorkerDied, match=r"no sign of life for 2 s \(Loading torch\)"):
        run_job(workers("slow"), pretrain("quick"), feedback)


def test_a_computer_that_slept_has_not_waited() -> None:
    now = 0.0
    wait = WaitTimer(lambda: now)
    for later in (0.1, 0.2, 5000.0, 5000.1):
        now = later
        wait.look()
    assert wait.seconds == pytest.approx(1.3)
    wait.over()
    assert wait.look() == 0


def test_the_heart_beats_while_there_is_something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EVERY", 0.02)
    said: list[Event] = []
    heart = Heartbeat(said.append)
    with heart.busy():
        assert soon(lambda: len(said) >= 3)
        assert set(said) == {Alive(0)}, "nothing went on"
        heart.moved()
        assert soon(lambda: Alive(1) in said)
        with heart.waiting():
            assert soon(lambda: Alive(4) in said), "who waits for QGIS does not hang"
    before = len(said)
    threading.Event().wait(0.2)
    assert len(said) <= before + 1, "no word while there is nothing to do"


# ---------------------------------------------------------------- rasters


def test_rasters_that_do_not_come_are_told(workers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_stream, "READ_LONG", 0.4)
    monkeypatch.setattr(block_stream, "READ_END", 1.2)
    go_on = threading.Event()

    def hanging(stopped: Stopped) -> Iterator[Block | None]:
        go_on.wait(20)
        yield None

    feedback = patient()
    with pytest.raises(EngineError, match=r"rasters of block 1 were not read within .* network drive"):
        classify_blocks(workers(), classify(), hanging, 5, lambda block: None, feedback)
    go_on.set()
    assert [each for each in feedback.notes if "block 1 have been read for" in each]


# ---------------------------------------------------------------- threads that end


def test_a_reading_thread_that_fails_ends_the_run(workers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when names were gone after the plugin was unloaded."""

    def gone(line: str) -> NoReturn:
        raise NameError("name 'Optional' is not defined")

    monkeypatch.setattr(worker_module, "decode", gone)
    with pytest.raises(WorkerDied, match=r"no message .*name 'Optional' is not defined"):
        run_job(workers(), pretrain("quick"), patient())


def test_whatever_ends_the_reading_thread_is_told() -> None:
    class Broken(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            raise MemoryError("no room for the line")

    inbox: queue.Queue[object] = queue.Queue()
    worker_module._read(Broken(), inbox, threading.Event())  # type: ignore[arg-type]
    assert "MemoryError: no room for the line" in inbox.get_nowait().why  # type: ignore[attr-defined]


def test_a_line_to_the_worker_that_breaks_ends_the_run(workers: Make) -> None:
    worker = workers()
    worker.start()
    worker._outbox.put("no bytes")  # type: ignore[arg-type]
    with pytest.raises(WorkerDied, match="takes no more messages"):
        run_job(worker, pretrain("quick"), patient())
    run_job(worker, pretrain("quick"), Recorder())


UNLOAD = """
import gc, sys, threading, time
from pathlib import Path
def begin(folder):
    from bdgf.bdgf_qgis.engine.run import run_job
    from bdgf.bdgf_qgis.engine.block_stream import classify_blocks
    from bdgf.tests.engine.helpers import Recorder, classify, fake_worker, pretrain
    from bdgf.model.shared.jobs import Block
    said = []
    def go():
        worker = fake_worker(Path(folder))
        def blocks(stopped):
            for number in range(30):
                name = worker.workspace.path / f"{number}.npy"
                name.write_bytes(b"pixels")
                yield Block(number, 0, 0, 10, 10, 0, 0, (str(name),), str(name), str(name) + "-out")
        try:
            with worker:
                give_up = Recorder(lambda recorder: recorder.seconds > 12)
                said.append(type(run_job(worker, pretrain("silent"), give_up)).__name__)
                done = classify_blocks(worker, classify("slow"), blocks, 30, lambda block: None, give_up)
                said.append(done.pixels)
        except BaseException as error:
            said.append(repr(error))
    thread = threading.Thread(target=go)
    thread.start()
    return thread, said
thread, said = begin(sys.argv[1])
time.sleep(0.8)
for name in [each for each in sys.modules if each == "bdgf" or each.startswith("bdgf.")]:
    del sys.modules[name]  # as qgis.utils does on unload and reload
gc.collect()
if sys.argv[2] == "reload":
    import bdgf.bdgf_qgis.workflows.session
thread.join(30)
print(said)
"""


@pytest.mark.parametrize("then", ["unload", "reload"])
def test_a_run_outlives_the_modules_of_the_plugin(folder: Path, then: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNLOAD, str(folder), then], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "['Pretrained', 3000]", done.stderr
    assert list(folder.iterdir()) == []


# ---------------------------------------------------------------- time left


def test_time_left_comes_late_is_smooth_and_forgets_what_was_long_ago() -> None:
    now = 0.0
    timer = StepTimer("train", lambda: now)

    def at(second: float, step: int, phase: str = "train") -> float | None:
        nonlocal now
        now = second
        found = timer.pace(Progress(phase, 0.5, "", step, 100))
        assert found is not None and found.step == min(step + 1, 100) and found.last is (phase == "train")
        return found.seconds_left

    assert timer.pace(Progress("prepare", 0.1, "statistics")) is None
    assert at(0, 0, "pretrain") is None
    assert at(30, 1, "pretrain") is None, "the first step counts for nothing"
    assert at(31, 2, "pretrain") is None and at(34, 5, "pretrain") is None, "too early"
    assert at(40, 11, "pretrain") == pytest.approx(89)
    assert at(41, 0) is None and at(42, 1) is None, "another phase begins anew"
    figures = [at(42 + second, 1 + second) for second in range(1, 40)]
    assert figures[:4] == [None] * 4 and figures[5:] == pytest.approx([93.0 - each for each in range(34)])
    assert at(81 + 200, 45) == pytest.approx(55 * 200 / 5, rel=0.3), "it became slower"


def test_a_job_that_counts_steps_shows_the_time_left(workers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_EARLY", 1.0)
    feedback = Recorder()
    run_job(workers(), pretrain("counts"), feedback, step_text)
    texts = [text for _, _, text in feedback.bar]
    assert "Learning the scene without labels: step 3 of 25" in texts
    late = [text for second, _, text in feedback.bar if second > 2 and "step" in text]
    assert late and all(", about " in text and " s left" in text for text in late)
