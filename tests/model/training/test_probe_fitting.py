"""Fitting probes: penalties found on polygons that were left out, classes weighed as they are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from bdgf.model.errors import JobCancelled
from bdgf.model.training.probe_fitting import Labelled, fit_weights, log_loss, proof_weights, share_weights, spread
from bdgf.tests.model.rings import fitted, image_of, rings


def test_what_is_left_out_was_not_learned_from():
    """Labels without rhyme: whoever has seen a pixel gets it right, whoever has not is no better than chance."""
    random = np.random.default_rng(0)
    classes = random.integers(0, 2, 300)
    values = random.normal(size=(300, 400)).astype(np.float32)
    _, left_out = fitted(Labelled(values, classes, random.integers(0, 3, 300), np.ones(2)))
    assert np.allclose(np.exp(left_out).sum(axis=1), 1, atol=1e-5)
    assert (left_out.argmax(axis=1) == classes).mean() < 0.6
    assert log_loss(left_out, classes, np.full(300, 1 / 300)) < 0.8, "nothing can be learned: the stiffest penalty"


def test_a_class_that_is_drawn_more_often_is_chosen_more_often():
    samples = rings(300, 0, flipped=0.3)
    shares = []
    for drawn in (np.array([1.0, 1.0]), np.array([1.0, 25.0])):
        probe, _ = fitted(Labelled(samples.values, samples.classes, samples.folds, drawn))
        shares.append(float(probe(image_of(samples)).argmax(dim=1).float().mean()))
    assert shares[1] > shares[0] + 0.1


def test_of_many_pixels_small_classes_are_taken_whole():
    classes = np.repeat([0, 1, 2], [50_000, 3_000, 100])
    taken = spread(classes, 1_500, np.random.default_rng(0))
    assert np.bincount(classes[taken]).tolist() == [700, 700, 100]
    assert len(np.unique(taken)) == 1_500
    assert spread(classes[:10], 1_500, np.random.default_rng(0)).tolist() == list(range(10))


@pytest.mark.parametrize(
    ("weigh", "wanted"),
    [(share_weights, [0.9, 0.1]), (fit_weights, [0.75, 0.25]), (proof_weights, [0.7, 0.3])],
    ids=["share", "fit", "proof"],
)
def test_classes_weigh_by_what_was_drawn_and_not_by_what_was_taken(weigh, wanted):
    classes = np.array([0, 0, 0, 1])
    weights = weigh(classes, np.array([900, 100]))
    assert [float(weights[classes == position].sum()) for position in (0, 1)] == pytest.approx(wanted)


def test_no_miss_costs_more_than_a_limit():
    surprised = np.array([[0.0, -1e6]])
    assert log_loss(surprised, np.array([1]), np.ones(1)) == pytest.approx(np.log(1e4))


def test_a_class_that_a_fold_holds_alone_still_gets_an_answer():
    labelled = rings(60, 0)
    folds = np.where(labelled.classes == 1, 1, 0)
    _, left_out = fitted(Labelled(labelled.values, labelled.classes, folds, labelled.drawn))
    assert np.isfinite(left_out).all()


def test_fitting_stops_where_it_is_cancelled():
    def cancelled():
        raise JobCancelled

    with pytest.raises(JobCancelled):
        fitted(rings(200, 0), cancelled)
