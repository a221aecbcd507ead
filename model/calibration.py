"""What the voters are worth: the vote is weighed by polygons that none of them has learned from yet."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .bdgf import BDGF
from .data.tiles import TileScene
from .held_out import predict_points
from .network.spectral import Samples
from .network.vote import Vote
from .progress import Span

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
    values = predict_points(model, scene, points, channels, device, span, look)
    samples = Samples(
        torch.from_numpy(values).to(device),
        torch.from_numpy(points[:, 2].astype(np.int64)).to(device),
        points[:, 3],
        torch.from_numpy(np.bincount(points[:, 2], minlength=classes)).float().to(device),
    )
    classifier.spectral.fit(samples, seed, span.reporter.check)


def weigh_votes(model: BDGF, scene: TileScene, points: np.ndarray, classes: int, span: Span) -> Tensor:
    """Weights (V,) of the model's voters by what they say of pixels (P, 4) that they have not learned from."""
    assert model.classifier is not None
    device = next(model.parameters()).device
    voters = len(model.classifier.voters)

    def ask(inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        return model.opinions(inputs, valid, corners).exp().flatten(1, 2)

    found = predict_points(model, scene, points, voters * classes, device, span, ask)
    opinions = torch.from_numpy(found).reshape(len(points), voters, classes).clamp(min=1e-12).log()
    labels = torch.from_numpy(points[:, 2].astype(np.int64))
    vote = Vote(model.classifier.vote.groups)
    vote.fit(opinions, labels, len(np.unique(points[:, 3])))
    return vote.weights
