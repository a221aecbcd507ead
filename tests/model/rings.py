"""Labelled pixels that a kernel tells apart and a plane does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bdgf.model.network.probe import Probe
from bdgf.model.training.probe_fitting import Labelled, fit_probe


def rings(count: int, seed: int, flipped: float = 0.0) -> Labelled:
    """Pixels of two features, class 1 within a ring of class 0; a share of the labels is wrong."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, 2)).astype(np.float32)
    classes = (np.linalg.norm(values, axis=1) < 1.2).astype(np.int64)
    wrong = random.random(count) < flipped
    classes[wrong] = 1 - classes[wrong]
    return Labelled(values, classes, random.integers(0, 3, count), np.ones(2))


def image_of(labelled: Labelled) -> Tensor:
    """The pixels as an image (1, F, 1, P)."""
    return torch.from_numpy(labelled.values.T.reshape(1, labelled.values.shape[1], 1, -1))


def fitted(labelled: Labelled, check: Callable[[], None] = lambda: None) -> tuple[Probe, np.ndarray]:
    """A probe of all the pixels, and its log-probabilities (P, K) of each without its fold."""
    rows = np.arange(len(labelled.classes))
    probe = Probe((labelled.values.shape[1],), len(labelled.drawn), 128)
    return probe, fit_probe(probe, labelled, rows, rows, check)
