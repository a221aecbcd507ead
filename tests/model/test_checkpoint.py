"""A cut pre-training goes on from its state and ends as an uncut one; another job starts over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bdgf.model import checkpoint
from bdgf.model.errors import JobCancelled
from bdgf.model.messages import PretrainJob
from bdgf.model.settings import DiffusionSettings
from bdgf.model.training import pretrain, train
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
