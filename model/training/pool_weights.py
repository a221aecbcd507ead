"""Weights in the opinion pool, from what members predicted of pixels that they have not learned from."""

from __future__ import annotations

import numpy as np

from .probe_fitting import log_loss, proof_weights, share_weights

_MOST_PARTS = 60  # polygons beyond this many prove no more: those of one scene are not independent
_LEAST_SHARE = 0.05  # of all weight, or a member is left out: it would cost more time than it is worth
_SHARPNESS = np.exp(np.linspace(-1.2, 1.6, 57))


def proven_weights(
    log_probabilities: np.ndarray, classes: np.ndarray, drawn: np.ndarray, prior: np.ndarray, parts: int
) -> np.ndarray:
    """Weights (V,), 1 in all, in proportion to prior weight times likelihood, every part counting as one observation.

    w_v ~ prior_v exp(-n (L_v - min L)), with L_v the log-loss of a member and n the number of parts: the posterior of
    a member (pseudo-Bayesian model averaging, Geisser and Eddy 1979). With few polygons it stays near the prior.

    Args:
        log_probabilities: (P, V, K).
        classes: (P,) class positions.
        drawn: (K,) labelled pixels of each class.
        prior: (V,) weights before any is proven.
        parts: number of polygons, or blocks of such, that the pixels come from.
    """
    counting = proof_weights(classes, drawn)
    losses = np.array([log_loss(member, classes, counting) for member in np.moveaxis(log_probabilities, 1, 0)])
    weights = prior * np.exp(-min(parts, _MOST_PARTS) * (losses - losses.min()))
    weights /= weights.sum()
    weights[weights < _LEAST_SHARE] = 0
    return weights / weights.sum()


def best_sharpness(probabilities: np.ndarray, classes: np.ndarray, drawn: np.ndarray, parts: int) -> float:
    """The power of probabilities (P, K) that is least surprised by classes (P,); near 1 where there are few parts."""
    weights, logs = share_weights(classes, drawn), np.log(np.maximum(probabilities, 1e-12))
    best, least = 1.0, np.inf
    for power in _SHARPNESS:
        powered = power * logs
        powered -= np.logaddexp.reduce(powered, axis=1, keepdims=True)
        loss = log_loss(powered, classes, weights) + np.log(power) ** 2 / max(1, min(parts, _MOST_PARTS))
        if loss < least:
            best, least = float(power), loss
    return best
