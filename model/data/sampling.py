"""Which windows a training step sees, and how they are turned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .tiles import TileScene, Windows


def random_corners(scene: TileScene, count: int, window: int, random: np.random.Generator) -> np.ndarray:
    """First pixels (count, 2) of windows anywhere in the scene, tiles in proportion to their valid pixels."""
    chosen = random.choice(scene.count, count, p=scene.weights / scene.weights.sum())
    centres = scene.corners[chosen] + random.integers(0, scene.tile, (count, 2))
    corners: np.ndarray = centres - window // 2
    return corners


class LabelSampler:
    """Picks windows around labelled pixels: class, then polygon, then pixel; the pixel anywhere in the window.

    Args:
        points: (P, 4) row, column, class position, polygon unit of the training pixels.
        balance: 0 picks classes by their pixels, 1 picks every class equally often; between: a power of the share.
    """

    def __init__(self, points: np.ndarray, balance: float = 1.0) -> None:
        self._points = points
        classes, counts = np.unique(points[:, 2], return_counts=True)
        shares = (counts / counts.sum()) ** (1 - balance)
        self._shares = shares / shares.sum()
        self._polygons = []
        for each in classes:
            rows = np.nonzero(points[:, 2] == each)[0]
            units = points[rows, 3]
            self._polygons.append([rows[units == unit] for unit in np.unique(units)])

    def corners(self, count: int, window: int, random: np.random.Generator) -> np.ndarray:
        """First pixels (count, 2) of windows that each hold a labelled pixel."""
        rows = []
        for choice in random.choice(len(self._polygons), count, p=self._shares):
            polygons = self._polygons[choice]
            sizes = np.sqrt([len(each) for each in polygons])  # between every polygon alike and every pixel alike
            pixels = polygons[random.choice(len(polygons), p=sizes / sizes.sum())]
            rows.append(pixels[random.integers(len(pixels))])
        corners: np.ndarray = self._points[rows, :2] - random.integers(0, window, (count, 2))
        return corners


def turn(windows: Windows, number: int) -> Windows:
    """One of the eight rotations and reflections of square windows (number 0 to 7)."""

    def turned(values: Tensor) -> Tensor:
        values = torch.rot90(values, number % 4, (-2, -1))
        return values.flip(-1) if number >= 4 else values

    return Windows(
        turned(windows.inputs), turned(windows.valid), turned(windows.labels), turned(windows.held), windows.corners
    )


def jitter(windows: Windows, amount: float, random: np.random.Generator) -> Windows:
    """Windows whose channels got a random gain and offset of deviation `amount`: other light, another gain."""
    if amount == 0:
        return windows
    shape = (*windows.inputs.shape[:2], 1, 1)
    drawn = random.normal(0, amount, (2, *shape)).astype(np.float32)
    gain, offset = torch.from_numpy(drawn).to(windows.inputs.device)
    changed = (windows.inputs * (1 + gain) + offset) * windows.valid
    return replace(windows, inputs=changed.contiguous(memory_format=torch.channels_last))
