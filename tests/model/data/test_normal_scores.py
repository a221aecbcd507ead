"""Normal scores: ranks, whatever the scale; ties, constants and values never seen."""

from __future__ import annotations

import numpy as np
import torch

from bdgf.model.data.normal_scores import NormalScores

RANDOM = np.random.default_rng(3)
OUTERMOST = 2.42  # of 64 quantiles


def scores_of(values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    transform = NormalScores(values.shape[1])
    transform.fit(values)
    image = torch.tensor(asked.T[None, :, :, None], dtype=torch.float32)
    return transform(image)[0, :, :, 0].numpy().T


def test_skewed_values_become_normal_in_their_order():
    values = RANDOM.lognormal(3, 2, (20_000, 1))
    scores = scores_of(values, values)[:, 0]
    assert abs(scores.mean()) < 0.02 and abs(scores.std() - 1) < 0.03
    assert (np.diff(scores[np.argsort(values[:, 0])]) >= 0).all()


def test_a_monotone_change_of_a_band_changes_little():
    values = RANDOM.normal(size=(5_000, 2))
    assert np.abs(scores_of(values, values) - scores_of(np.exp(values), np.exp(values))).max() < 0.1


def test_a_value_that_many_pixels_hold_has_their_mean_rank_and_others_keep_their_side():
    ground = np.concatenate([np.zeros(6_000), RANDOM.uniform(1, 9, 2_000), RANDOM.uniform(-9, -1, 2_000)])[:, None]
    low, zero, high = scores_of(ground, np.array([[-2.0], [0.0], [2.0]]))[:, 0]
    assert low < -0.8 and abs(zero) < 0.05 and high > 0.8


def test_constant_bands_and_values_beyond_the_sample_stay_finite():
    values = np.column_stack([np.full(100, 7.0), np.arange(100.0), np.full(100, -1e30)])
    asked = np.array([[7.0, 1e37, -1e37], [-1e37, -1e37, 0.0], [7.0, 99.0, -1e30]])
    scores = scores_of(values, asked)
    assert np.isfinite(scores).all() and np.abs(scores).max() < OUTERMOST
    assert scores[0, 1] == scores[2, 1] > OUTERMOST - 0.01 and scores[1, 1] < 0.01 - OUTERMOST
    assert abs(scores[2, 0]) < 1e-6
