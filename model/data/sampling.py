"""Which patches a training step sees, and how they are turned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .tiles import Patches, TileScene


def random_corners(scene: TileScene, count: int, patch_size: int, random: np.random.Generator) -> np.ndarray:
    """First pixels (count, 2) of patches anywhere in the scene, tiles in proportion to their valid pixels."""
    chosen = random.choice(len(scene.weights), count, p=scene.weights / scene.weights.sum())
    centres = scene.corners[chosen] + random.integers(0, scene.tile, (count, 2))
    corners: np.ndarray = centres - patch_size // 2
    return corners


class LabelSampler:
    """Picks patches around labelled pixels: class, then polygon, then pixel; the pixel anywhere in the patch.

    Args:
        points: (P, 4) row, column, class position, polygon unit of the training pixels.
        balance: 0 picks classes by their pixels, 1 picks every class equally often; between: a power of the share.
        drawn: (K,) pixels of each class that count for that, where the points are a sample; by default the points.
    """

    def __init__(self, points: np.ndarray, balance: float = 1.0, drawn: np.ndarray | None = None) -> None:
        self._points = points
        classes, counts = np.unique(points[:, 2], return_counts=True)
        counts = counts if drawn is None else drawn[classes]
        shares = (counts / counts.sum()) ** (1 - balance)
        self._shares = shares / shares.sum()
        self._polygons = [_by_unit(points, np.nonzero(points[:, 2] == each)[0]) for each in classes]
        self._chances = []
        for polygons in self._polygons:
            sizes = np.sqrt([len(each) for each in polygons])  # between every polygon alike and every pixel alike
            self._chances.append(sizes / sizes.sum())

    def corners(self, count: int, patch_size: int, random: np.random.Generator) -> np.ndarray:
        """First pixels (count, 2) of patches that each hold a labelled pixel."""
        rows = []
        for choice in random.choice(len(self._polygons), count, p=self._shares):
            polygons = self._polygons[choice]
            pixels = polygons[random.choice(len(polygons), p=self._chances[choice])]
            rows.append(pixels[random.integers(len(pixels))])
        corners: np.ndarray = self._points[rows, :2] - random.integers(0, patch_size, (count, 2))
        return corners


def _by_unit(points: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    """Rows of points, apart by the polygon unit."""
    rows = rows[np.argsort(points[rows, 3], kind="stable")]
    return np.split(rows, np.flatnonzero(np.diff(points[rows, 3])) + 1)


def turn(patches: Patches, number: int) -> Patches:
    """One of the eight rotations and reflections of square patches (number 0 to 7)."""

    def turned(values: Tensor) -> Tensor:
        values = torch.rot90(values, number % 4, (-2, -1))
        return values.flip(-1) if number >= 4 else values

    return Patches(
        turned(patches.inputs), turned(patches.valid), turned(patches.labels), turned(patches.held), patches.corners
    )


def jitter(patches: Patches, amount: float, random: np.random.Generator) -> Patches:
    """Patches whose channels got a random gain and offset of deviation `amount`: other light, another gain."""
    if amount == 0:
        return patches
    shape = (*patches.inputs.shape[:2], 1, 1)
    drawn = random.normal(0, amount, (2, *shape)).astype(np.float32)
    gain, offset = torch.from_numpy(drawn).to(patches.inputs.device)
    changed = (patches.inputs * (1 + gain) + offset) * patches.valid
    return replace(patches, inputs=changed.contiguous(memory_format=torch.channels_last))
