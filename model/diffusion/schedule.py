"""The noise schedule: how much signal is left at each diffusion step."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def alpha_bar(steps: int) -> Tensor:
    """Share of signal variance left at steps 0..steps-1, (steps,), falling from almost 1 to almost 0.

    The cosine schedule of Nichol and Dhariwal (2021), Improved denoising diffusion probabilistic models, eq. 17,
    within the DDPM of Ho, Jain and Abbeel (2020).
    """
    offset = 0.008
    time = (torch.arange(steps, dtype=torch.float64) + 1) / steps
    left = torch.cos((time + offset) / (1 + offset) * math.pi / 2) ** 2
    start = math.cos(offset / (1 + offset) * math.pi / 2) ** 2
    return (left / start).clamp(1e-4, 0.9999).float()


def add_noise(signal: Tensor, noise: Tensor, left: Tensor) -> Tensor:
    """The diffused signal x_t = sqrt(a) x_0 + sqrt(1 - a) e, with a = `left` broadcast over (B, C, H, W)."""
    return left.sqrt() * signal + (1 - left).sqrt() * noise
