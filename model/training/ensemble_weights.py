"""What the voters are worth: the vote is weighed by polygons that none of them has learned from yet."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..bdgf import BDGF
from ..data.tiles import TileScene
from ..job.progress import Span
from ..network.ensemble import Vote
from ..network.probe import Samples, spread
from ..prediction.points import predict_points

MOST = 50_000  # pixels that a voter, or the vote, is fitted to
_MOST_SQUARES, _SQUARE = 2000, 16  # squares, and their side, that hold the pixels which the vote is weighed by
_LEAST_POLYGONS = 4  # that a vote can be weighed by
FEW = 30  # labelled pixels a class: below, the spectrum weighs as much as all branches where no polygons weigh the vote


def calibration_fold(points: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
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


def fit_spectral(model: BDGF, scene: TileScene, points: np.ndarray, classes: int, seed: int, span: Span) -> None:
    """Fits the spectral voter, where there is one, to training pixels (P, 4); a class weighs what it has of them."""
    classifier = model.classifier
    if classifier is None or classifier.spectral is None:
        return
    device = next(model.parameters()).device

    def look(inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        return classifier.image(inputs, valid)[:, :-1]

    channels = classifier.spectral.frequencies.shape[1]
    mass = scene.drawn(points, classes)
    points = points[spread(points[:, 2], MOST, np.random.default_rng(seed))]
    values = predict_points(model, scene, points, channels, device, span, look)
    samples = Samples(
        torch.from_numpy(values).to(device),
        torch.from_numpy(points[:, 2].astype(np.int64)).to(device),
        points[:, 3],
        torch.from_numpy(mass).float().to(device),
    )
    classifier.spectral.fit(samples, seed, span.reporter.check)


def weigh_votes(model: BDGF, scene: TileScene, points: np.ndarray, classes: int, span: Span) -> Tensor:
    """Weights (V,) of the model's voters by what they say of pixels (P, 4) that they have not learned from."""
    assert model.classifier is not None
    device = next(model.parameters()).device
    voters = len(model.classifier.voters)

    def ask(inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        return model.opinions(inputs, valid, corners).exp().flatten(1, 2)

    polygons = len(np.unique(points[:, 3]))
    points = some_squares(points, MOST)
    found = predict_points(model, scene, points, voters * classes, device, span, ask)
    opinions = torch.from_numpy(found).reshape(len(points), voters, classes).clamp(min=1e-12).log()
    labels = torch.from_numpy(points[:, 2].astype(np.int64))
    vote = Vote(model.classifier.vote.groups)
    vote.fit(opinions, labels, polygons)
    return vote.weights


def some_squares(points: np.ndarray, most: int) -> np.ndarray:
    """Of more than `most` pixels (P, 4) about as many, in whole squares taken at random: a patch that is asked about
    one pixel knows of those beside it."""
    if len(points) <= most:
        return points
    squares, square_of = np.unique(points[:, :2] // _SQUARE, axis=0, return_inverse=True)
    rank = np.random.default_rng(len(points)).permutation(len(squares))[square_of.ravel()]
    held = np.cumsum(np.bincount(rank))
    fitting = int(np.searchsorted(held, most, side="right"))
    return points[rank < max(1, min(fitting, _MOST_SQUARES))]
