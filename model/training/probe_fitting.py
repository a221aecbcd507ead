"""Probes are fitted to labelled pixels; cross-validation tells how supple each may be, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax

from ..network.probe import Probe

PENALTIES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)  # of the squared weights, from stiff to supple
BALANCE = 0.5  # of the fit: 0 weighs every pixel alike, 1 every class
_ITERATIONS = 40
LEAST_LOG_PROBABILITY = -np.log(1e4)  # what a miss may cost at most


@dataclass(frozen=True)
class Labelled:
    """Labelled pixels.

    values   (P, F) features, float32
    classes  (P,) class positions
    folds    (P,) the fold in which a pixel is left out
    drawn    (K,) labelled pixels of each class, of which these are some
    """

    values: np.ndarray
    classes: np.ndarray
    folds: np.ndarray
    drawn: np.ndarray


def fit_weights(classes: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """What each pixel (P,) weighs in a fit, 1 in all: classes between how often they were drawn (K,) and all alike."""
    return _weights(classes, (drawn / drawn.sum()) ** (1 - BALANCE))


def proof_weights(classes: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """What each pixel (P,) weighs where members prove themselves, 1 in all: half by the shares of the classes, half
    all classes alike. So neither overall nor average accuracy is given away."""
    return (_weights(classes, drawn / drawn.sum()) + _weights(classes, np.ones(len(drawn)))) / 2


def share_weights(classes: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """What each pixel (P,) weighs, 1 in all, where classes weigh as often as they were drawn (K,)."""
    return _weights(classes, drawn / drawn.sum())


def _weights(classes: np.ndarray, mass: np.ndarray) -> np.ndarray:
    weights: np.ndarray = (mass / np.maximum(np.bincount(classes, minlength=len(mass)), 1))[classes]
    return weights / weights.sum()


def spread(classes: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """Which of some pixels of classes (P,) to take: `most` of them at most, small classes whole before large ones."""
    if len(classes) <= most:
        return np.arange(len(classes))
    positions, counts = np.unique(classes, return_counts=True)
    chosen, left = [], most
    for done, number in enumerate(np.argsort(counts, kind="stable")):
        taken = min(counts[number], left // (len(counts) - done))
        chosen.append(random.permutation(np.nonzero(classes == positions[number])[0])[:taken])
        left -= taken
    return np.sort(np.concatenate(chosen))


def fit_probe(
    probe: Probe, labelled: Labelled, tried: np.ndarray, fitted: np.ndarray, check: Callable[[], None] = lambda: None
) -> np.ndarray:
    """Fits a probe, on the CPU, with the penalty that predicts pixels left out best, every class counting.

    Args:
        probe: is changed.
        labelled: the pixels.
        tried: (T,) rows of those that cross-validation takes.
        fitted: (S,) rows of those that the probe is fitted to.
        check: called now and then; may raise to stop.

    Returns log-probabilities (T, K) of the pixels tried, each by a fit without its fold.
    """
    values = torch.from_numpy(labelled.values)
    probe.set_width(values)
    basis = probe.basis(values).numpy()
    predicted = _cross_validate(basis[tried], labelled, tried, len(probe.bias), check)
    weights = proof_weights(labelled.classes[tried], labelled.drawn)
    best = int(np.argmin([log_loss(each, labelled.classes[tried], weights) for each in predicted]))
    solution = np.zeros((len(probe.bias), basis.shape[1] + 1))
    classes = labelled.classes[fitted]
    for penalty in PENALTIES[: best + 1]:
        check()
        solution = _descend(basis[fitted], classes, fit_weights(classes, labelled.drawn), penalty, solution)
    probe.weights.copy_(torch.from_numpy(solution[:, :-1]))
    probe.bias.copy_(torch.from_numpy(solution[:, -1]))
    return predicted[best]


def log_loss(log_probabilities: np.ndarray, classes: np.ndarray, weights: np.ndarray) -> float:
    """Weighted mean of the negative log-probabilities (P, K) of the right classes (P,), no miss beyond a limit."""
    right = log_probabilities[np.arange(len(classes)), classes]
    return float(-(weights * np.maximum(right, LEAST_LOG_PROBABILITY)).sum())


def _cross_validate(
    basis: np.ndarray, labelled: Labelled, tried: np.ndarray, classes: int, check: Callable[[], None]
) -> np.ndarray:
    """Log-probabilities (penalties, T, K) of the pixels tried, each by a fit without its fold."""
    own, folds = labelled.classes[tried], labelled.folds[tried]
    predicted = np.full((len(PENALTIES), len(tried), classes), -np.log(classes), np.float32)
    for fold in np.unique(folds):
        out = folds == fold
        if out.all():
            continue
        weights = fit_weights(own[~out], labelled.drawn)
        solution = np.zeros((classes, basis.shape[1] + 1))
        for number, penalty in enumerate(PENALTIES):
            check()
            solution = _descend(basis[~out], own[~out], weights, penalty, solution)
            scores = basis[out] @ solution[:, :-1].T + solution[:, -1]
            predicted[number, out] = log_softmax(scores, axis=1)
    return predicted


def _descend(
    basis: np.ndarray, classes: np.ndarray, weights: np.ndarray, penalty: float, start: np.ndarray
) -> np.ndarray:
    """Weights and bias (K, R + 1) of least penalised cross-entropy on random features (P, R), found from `start`."""
    count, size = start.shape[0], basis.shape[1]
    wanted = np.zeros((len(classes), count), np.float32)
    wanted[np.arange(len(classes)), classes] = 1
    weights = weights.astype(np.float32)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        solution = flat.reshape(count, size + 1).astype(np.float32)
        scores = log_softmax(basis @ solution[:, :size].T + solution[:, size], axis=1)
        stiffness = penalty * float((solution[:, :size] ** 2).sum()) / 2
        total = stiffness - float((weights * (scores * wanted).sum(axis=1)).sum())
        errors = (np.exp(scores) - wanted) * weights[:, None]
        slope = np.empty((count, size + 1))
        slope[:, :size] = errors.T @ basis + penalty * solution[:, :size]
        slope[:, size] = errors.sum(axis=0)
        return total, slope.ravel()

    options = {"maxiter": _ITERATIONS, "maxcor": 10, "ftol": 1e-6}
    result = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    solution: np.ndarray = result.x.reshape(count, size + 1)
    return solution
