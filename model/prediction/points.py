"""What a model says at single pixels, asked exactly as a map would be; and its accuracy on held-out polygons."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..bdgf import BDGF
from ..data.tiles import TileScene
from ..job.progress import Span
from .batches import Ask, Predictor
from .lattice import blend_weight, corners_over


def held_out_confusion(
    model: BDGF, scene: TileScene, classes: int, device: torch.device, span: Span
) -> tuple[tuple[int, ...], ...]:
    """Pixels (K, K), reference in rows, of the scene's held-out pixels; empty where there are none."""
    points = scene.held_out
    if not len(points):
        return ()
    chosen = predict_points(model, scene, points, classes, device, span).argmax(axis=1)
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (points[:, 2], chosen), 1)
    return tuple(tuple(row) for row in counts.tolist())


def predict_points(
    model: BDGF,
    scene: TileScene,
    points: np.ndarray,
    values: int,
    device: torch.device,
    span: Span,
    ask: Ask | None = None,
) -> np.ndarray:
    """Class probabilities (P, K) of grid pixels (P, 2 or more: row, column), patches on the lattice and blended.

    Args:
        model: the model.
        scene: where the pixels are.
        points: the pixels.
        values: number K of values that the model answers with; without `ask` the number of classes.
        device: where to compute.
        span: hears of progress.
        ask: what to ask instead of probabilities, see Predictor.
    """
    size, stride = model.settings.patch_size, model.settings.stride
    weight = blend_weight(size, stride).numpy()
    patches = corners_over(points[:, :2], size, stride)
    downwards = np.argsort(points[:, 0])
    sorted_rows = points[downwards, 0]

    def cut(some: np.ndarray) -> tuple[Tensor, Tensor]:
        found = scene.cut(some, size, bands=True)
        return found.inputs, found.valid

    result = np.zeros((len(points), values), np.float32)
    done = 0
    for some, answers in Predictor(model, device, span.reporter, ask).batches(patches, cut):
        for (top, left), answer in zip(some, answers.numpy(), strict=True):
            near = downwards[slice(*np.searchsorted(sorted_rows, (top, top + size)))]
            inside = near[(points[near, 1] >= left) & (points[near, 1] < left + size)]
            rows, columns = points[inside, 0] - top, points[inside, 1] - left
            result[inside] += answer[:, rows, columns].T * weight[rows, columns][:, None]
        done += len(some)
        span.at(done / len(patches))
    return result
