"""One job from the view of an algorithm: progress, notes, errors, Cancel."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from bdgf.bdgf_qgis.engine.errors import WorkerDied, WorkerFailed
from bdgf.bdgf_qgis.engine.progress_bar import LOADING, ProgressBar
from bdgf.bdgf_qgis.engine.run import run_job
from bdgf.bdgf_qgis.engine.worker import Worker
from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.model.shared.events import Pretrained, Trained
from bdgf.tests.engine.helpers import Recorder, pretrain, train

Make = Callable[..., Worker]


@pytest.mark.parametrize(("load", "what"), [("", "quick"), ("short", "quick"), ("", "silent")])
def test_bar_moves_while_torch_loads_and_while_the_job_is_silent(workers: Make, load: str, what: str) -> None:
    feedback = Recorder()
    done = run_job(workers(load), pretrain(what), feedback)
    assert isinstance(done, Pretrained)
    assert feedback.notes == [f"job {what}"]
    feedback.check_bar()
    assert feedback.bar[-1][1] == 1
    assert any("loading torch" in text for _, _, text in feedback.bar)
    if what == "quick":
        assert any(text == "Learning the scene without labels" for _, _, text in feedback.bar)


def test_second_job_of_a_warm_worker_shows_no_loading(workers: Make) -> None:
    worker = workers()
    run_job(worker, pretrain("quick"), Recorder())
    feedback = Recorder()
    run_job(worker, pretrain("quick"), feedback)
    assert not any("loading torch" in text for _, _, text in feedback.bar)


def test_failures_are_told_and_the_next_run_works(workers: Make) -> None:
    worker = workers()
    with pytest.raises(WorkerFailed, match="one class only: draw") as bad_input:
        run_job(worker, pretrain("input"), Recorder())
    assert bad_input.value.reason == "input"
    process = worker.process_id
    with pytest.raises(WorkerFailed, match="ZeroDivisionError: nobody thought") as unexpected:
        run_job(worker, pretrain("unexpected"), Recorder())
    log = worker.log.keep()
    assert log.name in str(unexpected.value)
    assert "Traceback" in log.read_text()
    with pytest.raises(WorkerDied, match="SIGKILL"):
        run_job(worker, pretrain("killed"), Recorder())
    run_job(worker, pretrain("quick"), Recorder())
    assert worker.process_id != process


def test_python_without_torch(workers: Make) -> None:
    with pytest.raises(WorkerFailed, match=r"cannot load torch and numpy \(No module named 'torch'\)") as caught:
        run_job(workers("missing"), pretrain("quick"), Recorder())
    assert caught.value.reason == "environment"


@pytest.mark.parametrize(
    ("load", "what", "when"),
    [
        ("slow", "quick", lambda recorder: recorder.seconds > 0.5),
        ("", "wait", lambda recorder: bool(recorder.notes) and recorder.seconds > 0.5),
        ("", "deaf", lambda recorder: len(recorder.notes) == 2),
        ("", "wait", lambda recorder: True),
    ],
)
def test_cancel_at_any_moment_is_over_within_two_seconds(
    workers: Make, load: str, what: str, when: Callable[[Recorder], bool]
) -> None:
    feedback = Recorder(when)
    with pytest.raises(RunCancelled):
        run_job(workers(load), pretrain(what), feedback)
    assert time.monotonic() - feedback.cancelled_at < 2


def test_cancel_of_a_training_that_keeps_its_state(workers: Make) -> None:
    worker = workers()
    feedback = Recorder(lambda recorder: recorder.seconds > 0.7)
    done = run_job(worker, train(keep_partial=True), feedback)
    assert isinstance(done, Trained) and done.partial
    with pytest.raises(RunCancelled):
        run_job(worker, train(keep_partial=False), Recorder(lambda recorder: recorder.seconds > 0.5))


def test_error_of_the_feedback_ends_the_job_and_keeps_the_worker(workers: Make) -> None:
    class Broken(Recorder):
        def note(self, level: str, text: str) -> None:
            raise KeyboardInterrupt

    worker = workers()
    with pytest.raises(KeyboardInterrupt):
        run_job(worker, pretrain("wait"), Broken())
    process = worker.process_id
    run_job(worker, pretrain("quick"), Recorder())
    assert worker.process_id == process


def test_bar_never_falls_and_never_stands_still() -> None:
    now = 0.0
    shown = Recorder()
    bar = ProgressBar(shown, loading=True, clock=lambda: now)

    def wait(times: int) -> None:
        nonlocal now
        for _ in range(times):
            now += 0.5
            before = shown.bar[-1][1]
            bar.tick()
            assert shown.bar[-1][1] > before

    wait(30)
    assert shown.bar[-1][1] < LOADING
    bar.ready()
    for fraction in (0.0, 0.3, 0.305, 0.2, 0.31, 0.9):
        bar.report("train", fraction, "step")
        wait(10)
    assert shown.bar[-1][1] < 0.95
    bar.report("train", 1.0, "last step")
    assert shown.bar[-1][1] < 1
    bar.done()
    assert [share for _, share, _ in shown.bar] == sorted(share for _, share, _ in shown.bar) and shown.bar[-1][1] == 1
