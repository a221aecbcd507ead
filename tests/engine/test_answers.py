"""A worker that says what it should not: each such answer ends the run with one sentence, and nothing is touched."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bdgf.bdgf_qgis.engine.answers import made_plain, problem_with
from bdgf.bdgf_qgis.engine.block_results import read_results
from bdgf.bdgf_qgis.engine.block_stream import Stopped, classify_blocks
from bdgf.bdgf_qgis.engine.errors import BadAnswer, WorkerDied
from bdgf.bdgf_qgis.engine.run import run_job
from bdgf.bdgf_qgis.engine.worker import Worker
from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.model.shared.events import Cancelled, Curve, Note, Trained
from bdgf.model.shared.infos import ClassInfo
from bdgf.model.shared.jobs import Block
from bdgf.tests.engine.helpers import Recorder, classify, pretrain, session_of, soon, train

Make = Callable[..., Worker]
PATIENCE = 8.0  # seconds after which a test gives up: what it waits for comes within one


def line(kind: str, **values: Any) -> str:
    return json.dumps({"type": kind, **values})


CURVE = {"name": "loss", "steps": [1, 2], "values": [0.5]}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (line("Progress", phase="pretrain", fraction="half"), "fraction is half"),
        (line("Progress", phase="pretrain", fraction=7), "fraction is 7"),
        (line("Progress", phase="cooking", fraction=0.5), "phase is cooking"),
        (line("Progress", phase="pretrain", fraction=0.5, step=-1, steps=3), "step is -1"),
        (line("Note", level="shout", text="hello"), "level is shout"),
        (line("Note", level="info", text=["hello"]), "text is"),
        (line("Failed", reason="weather", text="rain"), "reason is weather"),
        (line("Pretrained", curves=[CURVE]), "2 steps and 1 values"),
        (line("Pretrained", output="/etc/passwd", curves=[]), "output is not known"),
        (line("Trained", confusion=[], curves=[]), "Trained is no answer to PretrainJob"),
        (line("BlockDone", number=0, pixels=1), "BlockDone is no answer to PretrainJob"),
        (line("Classified", pixels=1), "Classified is no answer to PretrainJob"),
        (line("Quit"), "Quit is for the worker"),
        (line("Surprise"), "not a message"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_an_answer_that_cannot_be_ends_the_run_with_a_sentence(workers: Make, said: str, why: str) -> None:
    worker, feedback = workers(), Recorder(lambda recorder: recorder.seconds > PATIENCE)
    with pytest.raises(WorkerDied, match=why) as caught:
        run_job(worker, pretrain("says", said), feedback)
    assert "Traceback" not in str(caught.value) and str(worker.log.keep()) in str(caught.value)
    assert not worker.running
    run_job(worker, pretrain("quick"), Recorder())


def test_figures_of_a_training_are_held_against_the_job() -> None:
    classes = (ClassInfo(1, "a", "#000000"), ClassInfo(2, "b", "#ffffff"))
    job = replace(train(keep_partial=False), classes=classes)
    assert problem_with(Trained(((1, 2), (3, 4)), (), False), job) == ""
    assert problem_with(Trained((), ()), job) == ""
    assert "1 rows and 2 columns for 2 classes" in problem_with(Trained(((1, 2),), ()), job)
    assert "3 rows and 3 columns" in problem_with(Trained(((1, 2, 3),) * 3, ()), job)
    assert "2 rows and 3 columns" in problem_with(Trained(((1, 2, 3), (1, 2)), ()), job)
    assert "nobody asked for" in problem_with(Trained((), (), partial=True), job)
    assert "loss has 1 steps and 0 values" in problem_with(Trained((), (Curve("loss", (1.0,), ()),)), job)


def test_texts_are_made_fit_to_be_shown() -> None:
    assert made_plain(Note("info", "a\x1b[2Jb\ud800\nc")) == Note("info", "a [2Jb\ufffd\nc")
    assert len(made_plain(Note("info", "x" * 10**6)).text) == 10_000  # type: ignore[union-attr]
    curves = (Curve("lo\x07ss", (1.0,), (2.0,)),)
    assert made_plain(Trained(((1,),), curves)) == Trained(((1,),), (Curve("lo ss", (1.0,), (2.0,)),))
    assert made_plain(Cancelled()) == Cancelled()


# ---------------------------------------------------------------- blocks


def blocks_in(folder: Path, count: int) -> Callable[[Stopped], Iterator[Block]]:
    def blocks(stopped: Stopped) -> Iterator[Block]:
        for number in range(count):
            name = folder / f"{number}.npy"
            name.write_bytes(b"pixels")
            yield Block(number, 0, 0, 10, 10, 0, 0, (str(name),), str(name), str(folder / f"{number}-out"))

    return blocks


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (line("BlockDone", number=77, pixels=1), "answered block 77, which it was not given"),
        (line("BlockDone", number=0, pixels=101), "101 pixels in block 0"),
        (line("BlockDone", number=0, pixels=-1), "pixels is -1"),
        (line("BlockDone", number=0, classes="VICTIM", confidence="VICTIM", probabilities=None, pixels=1), "not known"),
        (line("Classified", pixels=0), "said that all is done before it was"),
        (line("Trained", confusion=[], curves=[]), "Trained is no answer to ClassifyJob"),
    ],
)
def test_an_answer_about_blocks_that_cannot_be_ends_the_run(workers: Make, tmp_path: Path, said: str, why: str) -> None:
    victim = tmp_path / "a file of the user.npy"
    victim.write_bytes(b"precious")
    worker, feedback = workers(), Recorder(lambda recorder: recorder.seconds > PATIENCE)
    folder = worker.workspace.job_folder()
    job = classify(said.replace("VICTIM", str(victim)))
    with pytest.raises(WorkerDied, match=why):
        classify_blocks(worker, job, blocks_in(folder, 3), 3, lambda block: None, feedback)
    assert not worker.running
    assert victim.read_bytes() == b"precious", "only files of the job's folder are read and deleted"


SHAPE = (4, 5)


@pytest.fixture
def block(tmp_path: Path) -> Block:
    """A block with good results for three classes."""
    made = Block(7, 0, 0, *SHAPE, 0, 0, (), "", str(tmp_path / "7-out"))
    np.save(made.classes, np.where(np.eye(*SHAPE, dtype=bool), 65535, 2).astype(np.uint16))
    np.save(made.confidence, np.where(np.eye(*SHAPE, dtype=bool), np.nan, 0.5).astype(np.float32))
    np.save(made.probabilities, np.full((3, *SHAPE), 21845, np.uint16))
    return made


def test_results_of_a_block(block: Block) -> None:
    found = read_results(block, 3, True)
    assert found.classes.shape == SHAPE and found.probabilities.shape == (3, *SHAPE)
    assert read_results(block, 3, False).probabilities.shape == (0, *SHAPE)


@pytest.mark.parametrize(
    ("which", "array", "why"),
    [
        ("classes", np.zeros((5, 4), np.uint16), r"uint16 \(5, 4\) where uint16 \(4, 5\)"),
        ("classes", np.zeros(SHAPE, np.int64), "int64"),
        ("classes", np.full(SHAPE, 3, np.uint16), "class number 3 of 3"),
        ("classes", np.array([{"a": 1}]), "damaged"),
        ("confidence", np.full(SHAPE, np.nan, np.float32), "not between 0 and 1"),
        ("confidence", np.full(SHAPE, 1.5, np.float32), "not between 0 and 1"),
        ("confidence", np.zeros(SHAPE, np.float64), "float64"),
        ("probabilities", np.zeros((2, *SHAPE), np.uint16), r"\(2, 4, 5\)"),
        ("probabilities", np.full((3, *SHAPE), 65535, np.uint16), "above 1"),
    ],
)
def test_results_of_another_kind_are_refused(block: Block, which: str, array: np.ndarray, why: str) -> None:
    np.save(getattr(block, which), array, allow_pickle=True)
    with pytest.raises(BadAnswer, match=f"block 7 holds .*{why}"):
        read_results(block, 3, True)


def test_files_that_are_none_are_refused(block: Block, tmp_path: Path) -> None:
    whole = Path(block.classes).read_bytes()
    for damaged in (b"", b"no array", whole[:-3], whole.replace(b"(4, 5)", b"(9999999999999, 5)"), whole[:40]):
        Path(block.classes).write_bytes(damaged)
        with pytest.raises(BadAnswer, match="block 7 holds"):
            read_results(block, 3, False)
    Path(block.classes).unlink()
    with pytest.raises(BadAnswer, match=r"no 7-out-classes\.npy"):
        read_results(block, 3, False)
    os.mkfifo(block.classes)  # opening it would wait for ever
    with pytest.raises(BadAnswer, match="no plain file"):
        read_results(block, 3, False)


def test_a_bad_array_ends_the_run_and_the_worker(workers: Make) -> None:
    worker = workers()
    process = []

    def on_block(block: Block) -> None:
        process.append(worker.process_id)
        read_results(block, 3, False)

    with pytest.raises(WorkerDied, match="block 0 holds a damaged"):
        classify_blocks(worker, classify(), blocks_in(worker.workspace.job_folder(), 3), 3, on_block, Recorder())
    assert not worker.running and soon(lambda: session_of(process[0]) == [])


def test_a_flood_of_notes_waits_in_the_worker(workers: Make) -> None:
    """Cancel is heard while it comes, and it does not fill this side's memory."""
    worker = workers()
    worker.start()
    worker.send(pretrain("says", (line("Note", level="info", text="x" * 100) + "\n") * 60_000))
    assert soon(lambda: worker._inbox.qsize() > 9000, 8.0)
    time.sleep(0.5)
    assert worker._inbox.qsize() < 11_000
    began = time.monotonic()
    worker.cancel()
    assert time.monotonic() - began < 2
    with pytest.raises(RunCancelled):
        run_job(worker, pretrain("wait"), Recorder(lambda recorder: recorder.seconds > 0.5))
