"""Classification block by block with a real worker process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.engine.block_stream import AHEAD, Stopped, classify_blocks
from bdgf.bdgf_qgis.engine.errors import WorkerDied, WorkerFailed
from bdgf.bdgf_qgis.engine.worker import Worker
from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.model.shared.jobs import Block
from bdgf.tests.engine.helpers import Recorder, classify, soon

Make = Callable[..., Worker]


class Scene:
    """Makes blocks, and remembers when; numbers in `empty` hold no valid pixel."""

    def __init__(self, folder: Path, count: int, empty: tuple[int, ...] = (), fail_at: int = -1, seconds: float = 0.0):
        self.folder, self.count, self.empty, self.fail_at, self.seconds = folder, count, empty, fail_at, seconds
        self.made: list[tuple[int, float]] = []
        self.closed_in: str | None = None

    def blocks(self, stopped: Stopped) -> Iterator[Block | None]:
        try:
            for number in range(self.count):
                if number == self.fail_at:
                    raise OSError(f"block {number} cannot be read")
                end = time.monotonic() + self.seconds
                while time.monotonic() < end and not stopped():
                    time.sleep(0.005)
                if number in self.empty:
                    yield None
                    continue
                names = [self.folder / f"{number}-{each}.npy" for each in ("raster", "valid")]
                for name in names:
                    name.write_bytes(b"block %d" % number)
                self.made.append((number, time.monotonic()))
                yield Block(
                    number, 0, 0, 10, 10, 0, 0, (str(names[0]),), str(names[1]), str(self.folder / f"{number}-out")
                )
        finally:
            self.closed_in = threading.current_thread().name


class Results:
    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.texts: list[bytes] = []
        self.written: list[tuple[int, float]] = []

    def __call__(self, block: Block) -> None:
        self.texts.append(Path(block.classes).read_bytes()[::-1])
        time.sleep(self.seconds)
        self.written.append((block.number, time.monotonic()))


def test_all_blocks_in_order_and_nothing_left(workers: Make) -> None:
    worker, results, feedback = workers(), Results(), Recorder()
    for _ in range(2):
        folder = worker.workspace.job_folder()
        scene, results = Scene(folder, 20, empty=(0, 7, 8, 19)), Results()
        done = classify_blocks(worker, classify(), scene.blocks, 20, results, feedback)
        assert done.pixels == 16 * 100
        assert results.texts == [b"block %d" % number for number in range(20) if number not in scene.empty]
        assert list(folder.iterdir()) == []
        assert scene.closed_in == "bdgf-blocks"


def test_scene_without_any_valid_pixel(workers: Make) -> None:
    worker = workers()
    scene = Scene(worker.workspace.job_folder(), 3, empty=(0, 1, 2))
    assert classify_blocks(worker, classify(), scene.blocks, 3, Results(), Recorder()).pixels == 0


def test_bar(workers: Make) -> None:
    worker, feedback = workers(), Recorder()
    scene = Scene(worker.workspace.job_folder(), 15)
    classify_blocks(worker, classify("slow"), scene.blocks, 15, Results(), feedback)
    feedback.check_bar()
    assert any(text == "Classifying: block 9 of 15" for _, _, text in feedback.bar)


def test_blocks_of_an_earlier_run_count_in_the_bar(workers: Make) -> None:
    worker, feedback = workers(), Recorder()
    scene = Scene(worker.workspace.job_folder(), 5)
    classify_blocks(worker, classify("slow"), scene.blocks, 20, Results(), feedback, finished=15)
    assert any(text == "Classifying: block 18 of 20" for _, _, text in feedback.bar)
    assert min(each for _, each, text in feedback.bar if "block" in text) >= 0.74


def test_reading_computing_and_writing_overlap(workers: Make) -> None:
    worker = workers()
    scene = Scene(worker.workspace.job_folder(), 12, seconds=0.1)
    worker.start()
    began = time.monotonic()
    classify_blocks(worker, classify("slow"), scene.blocks, 12, Results(0.1), Recorder())
    assert time.monotonic() - began < 12 * 0.3 * 0.7, "0.1 s each for reading, computing and writing"


def test_reading_is_at_most_two_blocks_ahead(workers: Make) -> None:
    worker = workers()
    scene, results = Scene(worker.workspace.job_folder(), 12), Results()
    classify_blocks(worker, classify("slow"), scene.blocks, 12, results, Recorder())
    for number, when in scene.made:
        finished = sum(written < when for _, written in results.written)
        assert number - finished <= 1 + AHEAD + 1  # one computed, one whose result is being written


def test_errors_of_reading_and_writing_reach_the_caller(workers: Make) -> None:
    worker = workers()
    with pytest.raises(OSError, match="block 4 cannot be read"):
        classify_blocks(
            worker, classify(), Scene(worker.workspace.job_folder(), 9, fail_at=4).blocks, 9, Results(), Recorder()
        )
    process = worker.process_id

    def full(block: Block) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        classify_blocks(worker, classify(), Scene(worker.workspace.job_folder(), 9).blocks, 9, full, Recorder())
    scene = Scene(worker.workspace.job_folder(), 3)
    assert classify_blocks(worker, classify(), scene.blocks, 3, Results(), Recorder()).pixels == 300
    assert worker.process_id == process, "the worker outlives errors of this side"


@pytest.mark.parametrize(
    ("model", "kind", "text"),
    [
        ("dies", WorkerDied, "SIGKILL"),
        ("fails", WorkerFailed, "graphics card failed"),
        ("missing", WorkerFailed, "not there"),
    ],
)
def test_errors_of_the_worker(workers: Make, model: str, kind: type[Exception], text: str) -> None:
    worker = workers()
    scene = Scene(worker.workspace.job_folder(), 9)
    with pytest.raises(kind, match=text):
        classify_blocks(worker, classify(model), scene.blocks, 9, Results(), Recorder())
    assert soon(lambda: scene.closed_in is not None)
    scene = Scene(worker.workspace.job_folder(), 3)
    assert classify_blocks(worker, classify(), scene.blocks, 3, Results(), Recorder()).pixels == 300


@pytest.mark.parametrize("load", ["", "slow"])
@pytest.mark.parametrize("read_seconds", [0.0, 60.0])
def test_cancel_while_loading_reading_and_computing(workers: Make, load: str, read_seconds: float) -> None:
    worker, feedback = workers(load), Recorder(lambda recorder: recorder.seconds > 0.6)
    scene = Scene(worker.workspace.job_folder(), 99, seconds=read_seconds)
    with pytest.raises(RunCancelled):
        classify_blocks(worker, classify("slow"), scene.blocks, 99, Results(), feedback)
    assert time.monotonic() - feedback.cancelled_at < 2
    assert scene.closed_in is not None


def test_a_read_that_hangs_does_not_hold_up_cancel(workers: Make) -> None:
    worker, feedback = workers(), Recorder(lambda recorder: recorder.seconds > 0.5)
    go_on = threading.Event()

    def hanging(stopped: Stopped) -> Iterator[Block | None]:
        go_on.wait(20)
        yield None

    with pytest.raises(RunCancelled):
        classify_blocks(worker, classify(), hanging, 5, Results(), feedback)
    assert time.monotonic() - feedback.cancelled_at < 2
    go_on.set()
