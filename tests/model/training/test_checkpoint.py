"""A cut pre-training goes on from its state and ends as an uncut one; another job starts over."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from bdgf.model.errors import JobCancelled
from bdgf.model.shared.jobs import PretrainJob
from bdgf.model.shared.settings import DiffusionSettings
from bdgf.model.training import checkpoint, state_file
from bdgf.model.training.checkpoint import CheckpointFile
from bdgf.model.training.jobs import pretrain, train
from bdgf.model.training.state_file import State
from bdgf.tests.model.scene import SilentReporter, tiny_settings, train_job

STEPS = 12


class CutAt(SilentReporter):
    """Cancels before a step of pre-training."""

    def __init__(self, step: int, phase: str = "pretrain") -> None:
        super().__init__()
        self.step, self.phase = step, phase

    def progress(self, phase: str, fraction: float, text: str = "", step: int = 0, steps: int = 0) -> None:
        super().progress(phase, fraction, text, step, steps)
        if phase == self.phase and steps and step + 1 == self.step:
            raise JobCancelled


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def always(monkeypatch):
    """A state after every step."""
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)


@pytest.fixture
def job(tmp_path) -> PretrainJob:
    settings = tiny_settings(diffusion=DiffusionSettings(width=8, steps=STEPS, batch=2, measure_every=2))
    given = train_job(tmp_path, settings)
    return PretrainJob(
        given.tiles, given.modalities, given.scene, settings, 1, "cpu", given.output, "test",
        checkpoint=str(tmp_path / "kept.safetensors"),
    )  # fmt: skip


@pytest.fixture
def uncut(job, tmp_path):
    alone = replace(job, output=str(tmp_path / "uncut.safetensors"), checkpoint="")
    return alone.output, pretrain(alone, SilentReporter())


def equal(path: str, other: str) -> bool:
    one, two = load_file(path), load_file(other)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_a_cut_run_ends_as_an_uncut_one(job, uncut, always):
    with pytest.raises(JobCancelled):
        pretrain(job, CutAt(8))
    reporter = SilentReporter()
    result = pretrain(job, reporter)
    assert any("step 7 of a run that was cut" in each for each in reporter.notes)
    assert equal(job.output, uncut[0])
    assert result.curves == uncut[1].curves


def test_a_run_cut_twice_ends_as_an_uncut_one(job, uncut, always):
    for step in (4, 10):
        with pytest.raises(JobCancelled):
            pretrain(job, CutAt(step))
    pretrain(job, SilentReporter())
    assert equal(job.output, uncut[0])


@pytest.mark.parametrize("change", [{"seed": 2}, {"plugin_version": "other"}, {"settings": tiny_settings()}])
def test_another_job_starts_over(job, always, change):
    with pytest.raises(JobCancelled):
        pretrain(job, CutAt(8))
    reporter = SilentReporter()
    pretrain(replace(job, **change), reporter)
    assert not any("Going on" in each for each in reporter.notes)


def test_other_pixels_start_over(job, always):
    with pytest.raises(JobCancelled):
        pretrain(job, CutAt(8))
    values = np.load(job.tiles.modalities[0])
    values[0, 0, 0, 0] += 1
    np.save(job.tiles.modalities[0], values)
    reporter = SilentReporter()
    pretrain(job, reporter)
    assert not any("Going on" in each for each in reporter.notes)


def test_a_damaged_state_starts_over(job, uncut, always):
    for content in (b"", b"\x10\0\0\0\0\0\0\0{", b"no tensors at all" * 9):
        Path(job.checkpoint).write_bytes(content)
        pretrain(job, SilentReporter())
        assert equal(job.output, uncut[0])
    save_file({"a": torch.zeros(1)}, job.checkpoint)
    pretrain(job, SilentReporter())
    assert equal(job.output, uncut[0])


def rewrite(path: str, change: Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], object]) -> None:
    """Changes a state - its tensors, its text, what is in that as JSON - and gives it the checksum that fits."""
    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        text = json.loads(file.metadata()[state_file._KEY])
    rest = json.loads(text["rest"])
    change(tensors, text, rest)
    said = json.dumps({**text, "rest": text["rest"] if text["rest"] == "" else json.dumps(rest)})
    save_file(tensors, path, {state_file._KEY: said, state_file._CHECKSUM: state_file._checksum(said, tensors)})


def set_first(tensors: dict[str, Any], name: str, value: float) -> None:
    tensors[name].view(-1)[0] = value


DAMAGE = {
    "missing tensor": lambda tensors, text, rest: tensors.pop("unet.token"),
    "missing moment": lambda tensors, text, rest: tensors.pop("optimiser.token.exp_avg"),
    "missing noise": lambda tensors, text, rest: tensors.pop("noise"),
    "other noise": lambda tensors, text, rest: tensors.update(noise=torch.zeros(3)),
    "other shape": lambda tensors, text, rest: tensors.update({"average.token": torch.zeros(99)}),
    "moment of another shape": lambda tensors, text, rest: tensors.update({"optimiser.token.exp_avg": torch.zeros(9)}),
    "no number": lambda tensors, text, rest: set_first(tensors, "unet.stem.weight", float("nan")),
    "infinite moment": lambda tensors, text, rest: set_first(tensors, "optimiser.token.exp_avg_sq", float("inf")),
    "step -5": lambda tensors, text, rest: text.update(step=-5),
    "step 10000": lambda tensors, text, rest: text.update(step=10_000),
    "step x": lambda tensors, text, rest: text.update(step="x"),
    "no step": lambda tensors, text, rest: text.pop("step"),
    "no rest": lambda tensors, text, rest: text.update(rest=""),
    "no rates": lambda tensors, text, rest: rest.pop("rates"),
    "too many rates": lambda tensors, text, rest: rest["rates"].append(0.5),
    "no generator": lambda tensors, text, rest: rest.pop("random"),
    "other generator": lambda tensors, text, rest: rest.update(random={"bit_generator": "PCG64", "state": 3}),
    "updates that are none": lambda tensors, text, rest: rest.update(updates="many"),
    "curves that are none": lambda tensors, text, rest: rest.update(curves=[{"name": 3}]),
}


@pytest.fixture
def cut_state(job, always) -> bytes:
    """The state of a run cut at step 8."""
    with pytest.raises(JobCancelled):
        pretrain(job, CutAt(8))
    return Path(job.checkpoint).read_bytes()


def test_a_state_that_cannot_be_taken_up_is_discarded_with_a_note(job, cut_state, uncut, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", 1e9)
    for damage, change in DAMAGE.items():
        Path(job.checkpoint).write_bytes(cut_state)
        rewrite(job.checkpoint, change)
        reporter = SilentReporter()
        result = pretrain(job, reporter)
        (note,) = [each for each in reporter.notes if "this run begins again" in each]
        assert note.startswith(f"The state of an earlier run in {job.checkpoint} cannot be used ("), damage
        assert note.isprintable(), damage
        assert equal(job.output, uncut[0]) and result.curves == uncut[1].curves, damage
        assert not Path(job.checkpoint).exists(), "it does not stop the next run either"


def test_no_flipped_bit_is_used(job, cut_state, uncut, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", 1e9)
    end = 8 + int.from_bytes(cut_state[:8], "little")
    for place in (end // 2, end + 5, (end + len(cut_state)) // 2, len(cut_state) - 1):
        damaged = bytearray(cut_state)
        damaged[place] ^= 1 << 2
        Path(job.checkpoint).write_bytes(damaged)
        reporter = SilentReporter()
        pretrain(job, reporter)
        assert any("this run begins again" in each for each in reporter.notes), place
        assert equal(job.output, uncut[0])


def test_a_pipe_in_place_of_a_state_blocks_nothing(job, uncut, always):
    os.mkfifo(job.checkpoint)
    pretrain(job, SilentReporter())
    assert equal(job.output, uncut[0]) and Path(job.checkpoint).is_file()


def test_two_runs_share_no_draft_and_old_ones_go(tmp_path, monkeypatch):
    drafts = []
    monkeypatch.setattr(state_file, "save_file", lambda tensors, path, metadata: drafts.append(Path(path)))
    old, young, other = (tmp_path / f"{name}.new" for name in ("state.abc", "state.abd", "other.abc"))
    for each in (old, young, other):
        each.write_bytes(b"")
    for each in (old, other):
        os.utime(each, (0, 0))
    for _ in range(2):
        CheckpointFile(str(tmp_path / "state"), "", SilentReporter()).save(State(1, {}, {}))
    assert drafts[0] != drafts[1] and {each.parent for each in drafts} == {tmp_path}
    assert not old.exists() and young.exists() and other.exists()
    assert not any(each.exists() for each in drafts)


def test_a_short_run_keeps_nothing(job):
    with pytest.raises(JobCancelled):
        pretrain(job, CutAt(8))
    pretrain(job, SilentReporter())
    assert not Path(job.checkpoint).exists()


def test_a_state_that_cannot_be_written_does_not_stop_the_run(job, uncut, always):
    blocked = replace(job, checkpoint=str(Path(job.tiles.index) / "below a file.safetensors"))
    reporter = SilentReporter()
    pretrain(blocked, reporter)
    assert sum("cannot be kept" in each for each in reporter.notes) == 1
    assert equal(blocked.output, uncut[0])


def test_a_training_cut_after_its_pre_training_does_not_repeat_it(tmp_path, always):
    whole = train_job(tmp_path)
    train(whole, SilentReporter())
    expected = str(tmp_path / "expected.safetensors")
    Path(whole.output).rename(expected)
    kept = replace(whole, checkpoint=str(tmp_path / "kept.safetensors"))
    with pytest.raises(JobCancelled):
        train(kept, CutAt(3, "train"))
    reporter = SilentReporter()
    train(kept, reporter)
    assert any("Going on from step 6" in each for each in reporter.notes)
    assert equal(whole.output, expected)
