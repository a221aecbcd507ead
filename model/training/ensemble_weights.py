"""What the members are worth: their weights in the pool come from labelled pixels that they have not learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..bdgf import BDGF
from ..data.sampling import random_corners
from ..data.tiles import TileScene
from ..job.progress import Span
from ..network.classifier import Classifier
from ..network.ensemble import pooled
from ..network.probe import Probe
from ..prediction.points import predict_points
from .folds import folds_of
from .pool_weights import best_sharpness, proven_weights
from .probe_fitting import Labelled, fit_probe, spread

MOST = 20_000  # pixels that both sides are asked about
_MOST_TRIED, _MOST_FITTED = 1_500, 4_000  # pixels to cross-validate a probe with, and to fit it to
_FOLDS = 3
_MOST_SQUARES, _SQUARE = 2000, 16  # squares, and their side, that hold the pixels which both sides are asked about
_SCENE_PATCHES, _PIXELS_OF_PATCH = 32, 125  # of the scene, that features are standardised over
# what looks around a pixel has to prove itself: half the weight of what does not, before anything is proven
BRANCH_WEIGHT = 1 / 3  # of the branches together, beside the probes
_GUIDED = 0.5  # of a probe of diffusion features, beside one without


@dataclass(frozen=True)
class Worth:
    """What probes are worth beside each other: weights (V,), 1 in all, and the sharpness of their pooled answer."""

    weights: np.ndarray
    sharpness: float = 1.0


class ProbeFamily:
    """The probes of a classifier in training. Their features are standardised over the scene once.

    Args:
        model: with a classifier, whose probes are fitted.
        scene: where the features come from.
        drawn: (K,) labelled pixels of each class.
        seed: of the choice of pixels and of the folds.
    """

    def __init__(self, model: BDGF, scene: TileScene, drawn: np.ndarray, seed: int) -> None:
        self._model, self._scene, self._drawn, self._seed = model, scene, drawn, seed
        if self._classifier.probes:
            self._standardise()

    def fit(self, points: np.ndarray, span: Span) -> Worth:
        """Fits all probes to labelled pixels (P, 4); returns what they are worth beside each other."""
        classifier = self._classifier
        if not classifier.probes:
            return Worth(np.zeros(0))
        random = np.random.default_rng(self._seed)
        folds, parts = folds_of(points, _FOLDS, random)
        kept = spread(points[:, 2], _MOST_FITTED, random)
        points, folds = points[kept], folds[kept]
        values, classes = self._features(points, span), points[:, 2].astype(np.int64)
        tried = spread(classes, _MOST_TRIED, random)
        predicted = []
        for name, probe in classifier.probes.items():
            assert isinstance(probe, Probe)
            labelled = Labelled(values[:, classifier.probe_features.slice_of(name)], classes, folds, self._drawn)
            predicted.append(fit_probe(probe.cpu(), labelled, tried, np.arange(len(classes)), span.reporter.check))
            probe.to(self._device)
        log_probabilities = np.stack(predicted, axis=1)
        prior = np.array([_GUIDED if classifier.need_guides([name]) else 1.0 for name in classifier.probes])
        weights = proven_weights(log_probabilities, classes[tried], self._drawn, prior, parts)
        answer = _pooled(log_probabilities, weights, 0)
        return Worth(weights, best_sharpness(answer, classes[tried], self._drawn, parts))

    @property
    def _classifier(self) -> Classifier:
        assert self._model.classifier is not None
        return self._model.classifier

    @property
    def _device(self) -> torch.device:
        return next(self._model.parameters()).device

    @torch.no_grad()
    def _standardise(self) -> None:
        random = np.random.default_rng(self._seed)
        side = self._model.settings.patch_size
        rows = []
        for corner in random_corners(self._scene, _SCENE_PATCHES, side, random):
            patch = self._scene.cut(corner[None], side, bands=True).to(self._device)
            raw = self._model.raw_features(patch.inputs, patch.valid, torch.from_numpy(corner[None]).to(self._device))
            pixels = raw[0].flatten(1)[:, patch.valid.flatten()].T.cpu()
            rows.append(pixels[torch.from_numpy(random.permutation(len(pixels))[:_PIXELS_OF_PATCH])])
        self._classifier.probe_features.fit(torch.cat(rows))

    def _features(self, points: np.ndarray, span: Span) -> np.ndarray:
        features = self._classifier.probe_features

        def look(inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
            standardised: Tensor = features(self._model.raw_features(inputs, valid, corners))
            return standardised

        return predict_points(self._model, self._scene, points, features.count, self._device, span, look)


def member_weights(branches: int, probes: np.ndarray, branch_weight: float = BRANCH_WEIGHT) -> np.ndarray:
    """Weights (V,) of a number of branches, which have `branch_weight` together, and of probes, alike to (V_p,)."""
    together = (branch_weight if len(probes) else 1.0) if branches else 0.0
    return np.concatenate([np.full(branches, together / max(1, branches)), (1 - together) * probes])


def weigh_branches(
    model: BDGF, scene: TileScene, points: np.ndarray, drawn: np.ndarray, parts: int, probes: Worth, span: Span
) -> tuple[float, float]:
    """Weight of the branches together beside the probes, and the sharpness of all, by what both say of pixels left out.

    Args:
        model: with a classifier whose members have not learned from the pixels.
        scene: where the pixels are.
        points: (P, 4) the pixels.
        drawn: (K,) labelled pixels of each class.
        parts: number of polygons, or blocks of such, that the pixels come from.
        probes: what the probes are worth beside each other.
        span: hears of progress.
    """
    classifier = model.classifier
    assert classifier is not None
    members, classes, branches = len(classifier.members), classifier.classes, len(classifier.branches)
    device = next(model.parameters()).device

    def ask(inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        return model.log_probabilities(inputs, valid, corners).exp().flatten(1, 2)

    points = sample_in_squares(points, MOST)
    answers = predict_points(model, scene, points, members * classes, device, span, ask)
    log_probabilities = np.log(np.maximum(answers.reshape(len(points), members, classes), 1e-12))
    labels = points[:, 2].astype(np.int64)
    weight = 1.0
    if len(probes.weights):
        sides = [_pooled(log_probabilities, member_weights(branches, probes.weights, own), branches) for own in (1, 0)]
        prior = np.array([BRANCH_WEIGHT, 1 - BRANCH_WEIGHT])
        weight = float(proven_weights(np.log(np.stack(sides, axis=1)), labels, drawn, prior, parts)[0])
    if not weight:
        return weight, probes.sharpness
    answer = _pooled(log_probabilities, member_weights(branches, probes.weights, weight), branches)
    return weight, best_sharpness(answer, labels, drawn, parts)


def _pooled(log_probabilities: np.ndarray, weights: np.ndarray, branches: int) -> np.ndarray:
    """Probabilities (P, K) that a pool gives of members (P, V, K) with weights (V,)."""
    answer: np.ndarray = pooled(torch.from_numpy(log_probabilities), torch.from_numpy(weights), branches).numpy()
    return answer


def sample_in_squares(points: np.ndarray, most: int) -> np.ndarray:
    """Of more than `most` pixels (P, 4) about as many, in whole squares taken at random: a patch that is asked about
    one pixel knows of those beside it."""
    if len(points) <= most:
        return points
    squares, square_of = np.unique(points[:, :2] // _SQUARE, axis=0, return_inverse=True)
    rank = np.random.default_rng(len(points)).permutation(len(squares))[square_of.ravel()]
    held = np.cumsum(np.bincount(rank))
    fitting = int(np.searchsorted(held, most, side="right"))
    return points[rank < max(1, min(fitting, _MOST_SQUARES))]
