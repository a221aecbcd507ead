"""Weights of the pool: who knows weighs more, rare classes count, few polygons say little."""

from __future__ import annotations

import numpy as np
import pytest

from bdgf.model.training.pool_weights import best_sharpness, proven_weights

EVEN, PRIOR = np.ones(3), np.full(2, 0.5)


def member(classes: np.ndarray, knowledge: float, seed: int) -> np.ndarray:
    """Log-probabilities (P, 3) of a member that favours the right class by `knowledge`, with noise of deviation 1."""
    scores = np.random.default_rng(seed).normal(size=(len(classes), 3)) + knowledge * np.eye(3)[classes]
    return log_probabilities(scores)


def log_probabilities(scores: np.ndarray) -> np.ndarray:
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def test_who_knows_more_weighs_more_and_the_more_so_the_more_polygons_say_it():
    classes = np.arange(600) % 3
    both = np.stack([member(classes, 2.0, 0), member(classes, 1.5, 1)], axis=1)
    weights = [float(proven_weights(both, classes, EVEN, PRIOR, parts)[0]) for parts in (1, 5, 50)]
    assert 0.5 < weights[0] < weights[1] < weights[2]


def test_one_polygon_leaves_the_weights_near_those_before_anything_is_proven():
    classes = np.arange(300) % 3
    both = np.stack([member(classes, 2.0, 0), member(classes, 1.5, 1)], axis=1)
    assert proven_weights(both, classes, EVEN, np.array([0.2, 0.8]), 1) == pytest.approx([0.2, 0.8], abs=0.06)


def test_a_member_that_knows_little_is_left_out():
    classes = np.arange(600) % 3
    both = np.stack([member(classes, 3.0, 0), member(classes, 0.1, 1)], axis=1)
    assert proven_weights(both, classes, EVEN, PRIOR, 50).tolist() == [1, 0]


def test_a_member_that_knows_the_rare_classes_is_not_silenced_by_the_common_one():
    """One class holds 94 % of the pixels, and one member answers nothing else."""
    classes = np.array([0] * 940 + [1] * 30 + [2] * 30)
    parrot = np.broadcast_to(np.log([0.98, 0.01, 0.01]), (1000, 3))
    both = np.stack([parrot, member(classes, 4.0, 0)], axis=1)
    weights = proven_weights(both, classes, np.bincount(classes), PRIOR, 9)
    assert weights[1] > 0.9


@pytest.mark.parametrize("exaggeration", [0.5, 2.5])
def test_the_answer_is_made_as_sure_as_it_is_right(exaggeration):
    classes = np.arange(3000) % 3
    told = np.exp(log_probabilities(member(classes, 1.0, 0) * exaggeration))
    power = best_sharpness(told[:1500], classes[:1500], EVEN, 60)
    answer = told[1500:] ** power
    answer /= answer.sum(axis=1, keepdims=True)
    right = (answer.argmax(axis=1) == classes[1500:]).mean()
    assert abs(told.max(axis=1).mean() - right) > 0.1 > 0.05 > abs(answer.max(axis=1).mean() - right)


def test_few_polygons_leave_the_answer_as_sure_as_it_was():
    classes = np.arange(300) % 3
    told = np.exp(log_probabilities(member(classes, 1.0, 0) * 4))
    powers = [abs(np.log(best_sharpness(told, classes, EVEN, parts))) for parts in (1, 60)]
    assert powers[0] < powers[1]
