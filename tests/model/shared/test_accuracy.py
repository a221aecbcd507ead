"""Accuracy figures against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from bdgf.model.shared.accuracy import accuracy_of, wilson_interval


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    reference = random.integers(0, 5, 2000)
    mapped = np.where(random.random(2000) < 0.7, reference, random.integers(0, 5, 2000))
    got = accuracy_of(metrics.confusion_matrix(reference, mapped).tolist())
    precision, recall, f1, support = metrics.precision_recall_fscore_support(reference, mapped)
    assert got.overall == pytest.approx(metrics.accuracy_score(reference, mapped))
    assert got.average == pytest.approx(metrics.balanced_accuracy_score(reference, mapped))
    assert got.kappa == pytest.approx(metrics.cohen_kappa_score(reference, mapped))
    assert [each.user for each in got.classes] == pytest.approx(precision)
    assert [each.producer for each in got.classes] == pytest.approx(recall)
    assert [each.f1 for each in got.classes] == pytest.approx(f1)
    assert [each.reference for each in got.classes] == support.tolist()
    assert got.pixels == 2000


def test_classes_that_one_side_lacks() -> None:
    got = accuracy_of([[8, 2, 0], [0, 0, 0], [0, 0, 0]])
    assert got.overall == 0.8
    assert got.average == 0.8, "only classes of the reference count"
    assert got.classes[1].producer is None and got.classes[1].user == 0
    assert (got.classes[2].producer, got.classes[2].user, got.classes[2].f1) == (None, None, None)


def test_a_single_class_everywhere() -> None:
    assert accuracy_of([[5]]).kappa == 1
    assert accuracy_of([[0, 5], [0, 0]]).kappa == 0


@pytest.mark.parametrize("matrix", [[], [[1, 2]], [[1, 2], [3]], [[0, 0], [0, 0]]])
def test_no_matrix(matrix: list[list[int]]) -> None:
    with pytest.raises(ValueError):
        accuracy_of(matrix)


@pytest.mark.parametrize(
    ("share", "count", "low", "high"), [(1.0, 1, 0.207, 1.0), (0.0, 4, 0.0, 0.490), (0.9, 100, 0.826, 0.945)]
)
def test_intervals_of_wilson(share: float, count: int, low: float, high: float) -> None:
    """Against tables; scipy's binomtest agrees where share * count is whole."""
    assert wilson_interval(share, count) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))
    found = stats.binomtest(round(share * count), count).proportion_ci(method="wilson")
    assert wilson_interval(share, count) == (pytest.approx(found.low), pytest.approx(found.high))
