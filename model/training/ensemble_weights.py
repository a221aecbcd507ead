"""What the members are worth: the pool's weights come from polygons that none of them has learned from yet."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..bdgf import BDGF
from ..data.tiles import TileScene
from ..job.progress import Span
from ..network.ensemble import OpinionPool
from ..network.probe import Samples, spread
from ..prediction.points import predict_points

MOST = 50_000  # pixels that a probe, or the pool, is fitted to
_MOST_SQUARES, _SQUARE = 2000, 16  # squares, and their side, that hold the pixels which the pool is fitted to
_LEAST_POLYGONS = 4  # that a pool can be fitted to
FEW = 30  # labelled pixels a class: below, without polygons to weigh by, the probe weighs as much as all branches


def left_out_polygons(points: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Which training pixels (P, 4: row, column, class, polygon) are left out at first, as bool (P,).

    Of each class about `share` of the polygons, of one that has too few of them none; nothing where that makes too few.
    """
    left_out = np.zeros(len(points), dtype=bool)
    polygons = 0
    for each in np.unique(points[:, 2]):
        units = random.permutation(np.unique(points[points[:, 2] == each, 3]))
        if share * len(units) >= 1:
            chosen = units[: round(share * len(units))]
            left_out |= (points[:, 2] == each) & np.isin(points[:, 3], chosen)
            polygons += len(chosen)
    return left_out if polygons >= _LEAST_POLYGONS else np.zeros_like(left_out)


def fit_probe(model: BDGF, scene: TileScene, points: np.ndarray, classes: int, seed: int, span: Span) -> None:
    """Fits the probe, where there is one, to training pixels (P, 4); a class weighs what it has of them."""
    classifier = model.classifier
    if classifier is None or classifier.probe is None:
        return
    device = next(model.parameters()).device

    def look(inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        return classifier.image(inputs, valid)[:, :-1]

    channels = classifier.probe.frequencies.shape[1]
    mass = scene.drawn(points, classes)
    points = points[spread(points[:, 2], MOST, np.random.default_rng(seed))]
    values = predict_points(model, scene, points, channels, device, span, look)
    samples = Samples(
        torch.from_numpy(values).to(device),
        torch.from_numpy(points[:, 2].astype(np.int64)).to(device),
        points[:, 3],
        torch.from_numpy(mass).float().to(device),
    )
    classifier.probe.fit(samples, seed, span.reporter.check)


def weigh_members(model: BDGF, scene: TileScene, points: np.ndarray, classes: int, span: Span) -> Tensor:
    """Weights (V,) of the model's members by what they say of pixels (P, 4) that they have not learned from."""
    assert model.classifier is not None
    device = next(model.parameters()).device
    members = len(model.classifier.members)

    def ask(inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        return model.log_probabilities(inputs, valid, corners).exp().flatten(1, 2)

    polygons = len(np.unique(points[:, 3]))
    points = sample_in_squares(points, MOST)
    found = predict_points(model, scene, points, members * classes, device, span, ask)
    log_probabilities = torch.from_numpy(found).reshape(len(points), members, classes).clamp(min=1e-12).log()
    labels = torch.from_numpy(points[:, 2].astype(np.int64))
    pool = OpinionPool(model.classifier.pool.groups)
    pool.fit(log_probabilities, labels, polygons)
    return pool.weights


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
