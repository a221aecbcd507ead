"""The pixel probe: what each pixel's own channels and local mean differences say, without any other surroundings.

Branches that look around a pixel also learn the surroundings of the few training polygons. Where labels are many small
patches of mixed pixels that misleads them, and a kernel machine on single pixels is hard to beat; so one is a member of
the ensemble. It is logistic regression on random Fourier features (Rahimi and Recht 2007, Random features for
large-scale kernel machines), which stand for the Gaussian kernel exp(-g |x - y|^2): convex, fitted in seconds, and
calibrated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

_SEED = 2007
_FOLDS = 3
_WIDTHS = (1.0, 0.3)  # g in units of 1 / (channels * variance), the usual guess
_PENALTIES = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4)  # of the squared weights, from stiff to supple
_USUAL = (1.0, 3e-4)  # where there are too few polygons to choose by
_MOST_TRIED, _MOST = 2000, 8000  # pixels to choose by, and to fit to


@dataclass(frozen=True)
class Samples:
    """Labelled pixels: values (P, D), class positions (P,), polygon units (P,), and what each class weighs (K,)."""

    values: Tensor
    classes: Tensor
    units: np.ndarray
    mass: Tensor

    def take(self, rows: np.ndarray) -> Samples:
        """Some of them; classes weigh what they did."""
        places = torch.from_numpy(rows)
        return Samples(self.values[places], self.classes[places], self.units[rows], self.mass)

    @property
    def weights(self) -> Tensor:
        """Weight of each pixel (P,), 1 in all: a class's mass over its pixels."""
        counts = torch.bincount(self.classes, minlength=len(self.mass))
        weights = (self.mass / counts.clamp(min=1))[self.classes]
        return weights / weights.sum()


class PixelProbe(nn.Module):
    """Class scores of each pixel by itself; says nothing (all scores 0) before fit().

    Args:
        channels: number of channels D of a pixel.
        classes: number of classes K.
        features: number F of random features.
    """

    scale: Tensor
    frequencies: Tensor
    phases: Tensor
    weights: Tensor
    bias: Tensor

    def __init__(self, channels: int, classes: int, features: int = 256) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(_SEED)
        self.register_buffer("frequencies", torch.randn(features, channels, generator=random))
        self.register_buffer("phases", torch.rand(features, generator=random) * 2 * math.pi)
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("weights", torch.zeros(classes, features))
        self.register_buffer("bias", torch.zeros(classes))

    def forward(self, image: Tensor) -> Tensor:
        """Channels (B, D, H, W) to class scores (B, K, H, W)."""
        with torch.autocast(image.device.type, enabled=False):  # waves of many radians need their digits
            waves = functional.conv2d(image.float(), (self.frequencies * self.scale)[:, :, None, None], self.phases)
            return functional.conv2d(waves.cos(), (self.weights * self._norm)[:, :, None, None], self.bias)

    @property
    def _norm(self) -> float:
        return math.sqrt(2 / len(self.phases))

    @torch.no_grad()
    def fit(self, samples: Samples, seed: int, check: Callable[[], None] = lambda: None) -> None:
        """Learns from labelled pixels; kernel width and penalty are those that predict unseen polygons best.

        Args:
            samples: the pixels.
            seed: of the choice of pixels and of the polygons that are left out.
            check: called now and then; may raise to stop.
        """
        random = np.random.default_rng(seed)
        usual = 1 / math.sqrt(max(float(samples.values.var()) * samples.values.shape[1], 1e-12))
        classes = samples.classes.cpu().numpy()
        width, penalty = self._choose(samples.take(spread(classes, _MOST_TRIED, random)), usual, random, check)
        some = samples.take(spread(classes, _MOST, random))
        self.scale.fill_(math.sqrt(2 * width) * usual)
        self.weights.zero_()
        self.bias.zero_()
        waves = self._waves(some.values)
        for tried in _PENALTIES[: _PENALTIES.index(penalty) + 1]:
            check()
            weights, bias = _descend(waves, some, tried, self.weights, self.bias)
            self.weights.copy_(weights)
            self.bias.copy_(bias)

    def _waves(self, values: Tensor) -> Tensor:
        return (values @ (self.frequencies * self.scale).T + self.phases).cos() * self._norm

    def _choose(
        self, samples: Samples, usual: float, random: np.random.Generator, check: Callable[[], None]
    ) -> tuple[float, float]:
        """Width and penalty of the least loss on polygons that were left out."""
        folds = polygon_folds(samples.classes.cpu().numpy(), samples.units, _FOLDS, random)
        losses: dict[tuple[float, float], float] = {}
        share = samples.weights
        for width in _WIDTHS:
            self.scale.fill_(math.sqrt(2 * width) * usual)
            waves = self._waves(samples.values)
            for fold in range(_FOLDS):
                left_out = torch.from_numpy(folds == fold)
                if not left_out.any():
                    continue
                kept = samples.take(np.nonzero(folds != fold)[0])
                weights, bias = torch.zeros_like(self.weights), torch.zeros_like(self.bias)
                for penalty in _PENALTIES:
                    check()
                    weights, bias = _descend(waves[~left_out], kept, penalty, weights, bias)
                    scores = waves[left_out] @ weights.T + bias
                    errors = functional.cross_entropy(scores, samples.classes[left_out], reduction="none")
                    losses[width, penalty] = losses.get((width, penalty), 0.0) + float((errors * share[left_out]).sum())
        return min(losses, key=losses.__getitem__) if losses else _USUAL


def polygon_folds(classes: np.ndarray, units: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """The fold (P,) of each pixel, 0 to count - 1: the polygons of each class dealt out evenly; -1, in no fold, where
    a class has a single polygon."""
    folds = np.full(len(classes), -1)
    for each in np.unique(classes):
        own = random.permutation(np.unique(units[classes == each]))
        if len(own) > 1:
            for number, unit in enumerate(own):
                folds[(units == unit) & (classes == each)] = number % count
    return folds


def spread(classes: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """Which of some pixels of classes (P,) to take: `most` of them at most, no class more than an equal share."""
    if len(classes) <= most:
        return np.arange(len(classes))
    share = most // max(1, len(np.unique(classes)))
    rows = [np.nonzero(classes == each)[0] for each in np.unique(classes)]
    return np.concatenate([random.permutation(own)[:share] for own in rows])


def _descend(waves: Tensor, samples: Samples, penalty: float, weights: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (K, F) and bias (K,) of least penalised loss, found from those given."""
    with torch.inference_mode(False), torch.enable_grad():
        share = samples.weights
        weights, bias = weights.clone().requires_grad_(), bias.clone().requires_grad_()
        search = torch.optim.LBFGS([weights, bias], max_iter=60, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            search.zero_grad()
            errors = functional.cross_entropy(waves @ weights.T + bias, samples.classes, reduction="none")
            total = (errors * share).sum() + penalty * (weights**2).sum() / 2
            total.backward()
            return total

        search.step(loss)
    return weights.detach(), bias.detach()
