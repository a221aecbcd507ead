"""Training weighs the members by pixels that it set aside at first, and says so."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bdgf.model.bdgf import load_model
from bdgf.model.data.bands import BandScaler
from bdgf.model.data.tiles import TileScene, sample_pixels
from bdgf.model.shared.settings import BRANCHES, PROBES
from bdgf.model.training.ensemble_weights import BRANCH_WEIGHT, member_weights
from bdgf.model.training.jobs import train
from bdgf.tests.model.scene import SilentReporter, tiny_settings, train_job


def test_pixels_set_aside_are_in_no_loss_until_they_are_brought_back(tmp_path):
    job = train_job(tmp_path)
    scalers = [BandScaler.fit(sample_pixels(job.tiles, place, 0), 32) for place in range(2)]
    scene = TileScene(job.tiles, scalers)
    before = scene.cut(np.array([[0, 0]]), 128)
    aside = scene.training[:10]
    scene.set_aside(aside)
    without = scene.cut(np.array([[0, 0]]), 128)
    assert (before.labels >= 0).sum() - (without.labels >= 0).sum() == 10
    assert without.held.sum() - before.held.sum() == 10
    scene.bring_back(aside)
    after = scene.cut(np.array([[0, 0]]), 128)
    assert torch.equal(after.labels, before.labels) and torch.equal(after.held, before.held)


def weight_curves(done):
    return {curve.name: curve.values for curve in done.curves if curve.name.endswith(" weight")}


def test_training_weighs_the_members_and_says_so(tmp_path):
    weights = weight_curves(train(train_job(tmp_path), SilentReporter()))
    assert set(weights) == {f"{name} weight" for name in (*BRANCHES, *PROBES)}
    assert weights["cnn weight"] == weights["mamba weight"] == weights["transformer weight"]
    set_first, found = weights["cnn weight"]
    assert set_first == pytest.approx(BRANCH_WEIGHT / 3) and found != set_first
    assert sum(values[-1] for values in weights.values()) == pytest.approx(1, abs=1e-6)


def test_branches_that_nobody_has_proved_keep_the_weight_of_the_unproven(tmp_path):
    settings = tiny_settings()
    settings = tiny_settings(training=type(settings.training)(steps=4, batch=2, left_out_share=0.0))
    job = train_job(tmp_path, settings)
    done = train(job, SilentReporter())
    weights = load_model(job.output)[0].classifier.pool.weights
    assert weights[:3].tolist() == pytest.approx([BRANCH_WEIGHT / 3] * 3)
    assert {len(values) for values in weight_curves(done).values()} == {1}, "as they were set, and never anew"


def test_both_sides_share_their_weight_among_their_members():
    assert member_weights(3, np.array([0.25, 0.75]), 0.6) == pytest.approx([0.2, 0.2, 0.2, 0.1, 0.3])
    assert member_weights(0, np.array([0.25, 0.75])) == pytest.approx([0.25, 0.75])
    assert member_weights(2, np.zeros(0)) == pytest.approx([0.5, 0.5])
