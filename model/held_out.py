"""Accuracy on held-out polygons, predicted exactly as a map would be."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .bdgf import BDGF
from .data.tiles import TileScene
from .lattice import blend_weight, lattice_corners
from .predictor import Predictor
from .progress import Span


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
    model: BDGF, scene: TileScene, points: np.ndarray, classes: int, device: torch.device, span: Span
) -> np.ndarray:
    """Class probabilities (P, K) of grid pixels (P, 2 or more: row, column), windows on the lattice and blended."""
    size, stride = model.settings.window, model.settings.stride
    weight = blend_weight(size, stride).numpy()
    cells = np.unique(points[:, :2], axis=0).tolist()
    touching = [lattice_corners(row, column, 1, 1, size, stride) for row, column in cells]
    windows = np.unique(np.concatenate(touching), axis=0)

    def cut(some: np.ndarray) -> tuple[Tensor, Tensor]:
        found = scene.cut(some, size)
        return found.inputs, found.valid

    result = np.zeros((len(points), classes), np.float32)
    done = 0
    for some, probabilities in Predictor(model, device, span.reporter).batches(windows, cut):
        for (top, left), answer in zip(some, probabilities.numpy(), strict=True):
            rows, columns = points[:, 0] - top, points[:, 1] - left
            inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
            rows, columns = rows[inside], columns[inside]
            result[inside] += answer[:, rows, columns].T * weight[rows, columns][:, None]
        done += len(some)
        span.at(done / len(windows))
    return result
