"""Accuracy figures from a confusion matrix; standard library only, so that both processes share one definition.

Congalton, R. G. (1991), A review of assessing the accuracy of classifications of remotely sensed data,
Remote Sensing of Environment 37, 35-46.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

_NORMAL = 1.959964  # quantile of the normal distribution for 95 %, both sides


@dataclass(frozen=True)
class ClassAccuracy:
    """Figures of one class; None where no pixel supports the figure."""

    producer: Optional[float]  # recall: share of the reference pixels that the map got right
    user: Optional[float]  # precision: share of the mapped pixels that are right
    f1: Optional[float]
    reference: int  # pixels in the reference
    mapped: int  # pixels in the map


@dataclass(frozen=True)
class Accuracy:
    """Overall, average and per-class accuracy, shares between 0 and 1."""

    overall: float
    average: float  # mean producer's accuracy of the classes that the reference holds
    kappa: float
    pixels: int
    classes: tuple[ClassAccuracy, ...]


def accuracy_of(confusion: Sequence[Sequence[int]]) -> Accuracy:
    """Figures of a square confusion matrix: a row a reference class, a column a mapped class, in pixels.

    Raises ValueError where the matrix is empty, not square, or holds no pixel.
    """
    size = len(confusion)
    if size == 0 or any(len(row) != size for row in confusion):
        raise ValueError("a confusion matrix is square and not empty")
    rows = [sum(int(value) for value in row) for row in confusion]
    columns = [sum(int(row[column]) for row in confusion) for column in range(size)]
    hits = [int(confusion[index][index]) for index in range(size)]
    pixels = sum(rows)
    if pixels == 0:
        raise ValueError("the confusion matrix holds no pixel")
    classes = tuple(_class_accuracy(*figures) for figures in zip(hits, rows, columns))
    recalls = [each.producer for each in classes if each.producer is not None]
    overall = sum(hits) / pixels
    chance = sum(row * column for row, column in zip(rows, columns)) / pixels**2
    kappa = (overall - chance) / (1 - chance) if chance < 1 else float(overall == 1)
    return Accuracy(overall, sum(recalls) / len(recalls), kappa, pixels, classes)


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share that was seen in `count` >= 1 independent cases.

    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference, Journal of the American
    Statistical Association 22, 209-212.
    """
    spread = _NORMAL**2 / count
    middle = share + spread / 2
    half = math.sqrt(spread * (share * (1 - share) + spread / 4))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def _class_accuracy(hits: int, reference: int, mapped: int) -> ClassAccuracy:
    return ClassAccuracy(
        producer=hits / reference if reference else None,
        user=hits / mapped if mapped else None,
        f1=2 * hits / (reference + mapped) if reference + mapped else None,
        reference=reference,
        mapped=mapped,
    )
