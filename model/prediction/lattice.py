"""Where patches lie, and how they are blended: a lattice anchored at pixel (0, 0) of the grid raster.

Never at a block or an extent: so a run on an extent equals that part of the full map, and block size cannot matter.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..shared.patch_starts import patch_starts


def lattice_corners(top: int, left: int, height: int, width: int, patch_size: int, stride: int) -> np.ndarray:
    """Grid positions (N, 2) of the first pixels of all patches that touch a rectangle, row by row."""
    rows = np.array(patch_starts(top, height, patch_size, stride))
    columns = np.array(patch_starts(left, width, patch_size, stride))
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)


def corners_over(points: np.ndarray, patch_size: int, stride: int) -> np.ndarray:
    """Grid positions (N, 2) of the first pixels of all patches that hold any of the pixels (P, 2), row by row."""
    pixels = points[:, None]
    shifts = np.indices((-(-patch_size // stride),) * 2).reshape(2, -1).T
    corners = (pixels // stride - shifts) * stride
    holding = (corners + patch_size > pixels).all(axis=-1)
    return np.unique(corners[holding], axis=0)


def blend_weight(patch_size: int, stride: int) -> Tensor:
    """Weight (H, W) of a patch's pixels: 1 inside, a smooth ramp where patches overlap; the sum is 1 everywhere."""
    overlap = patch_size - stride
    if not 0 < overlap <= stride:
        raise ValueError(f"patches of {patch_size} pixels overlap by 1 to {stride} pixels at a stride of {stride}")
    ramp = torch.sin((torch.arange(overlap) + 0.5) / overlap * torch.pi / 2) ** 2
    line = torch.ones(patch_size)
    line[:overlap], line[-overlap:] = ramp, ramp.flip(0)
    return line[:, None] * line[None, :]
