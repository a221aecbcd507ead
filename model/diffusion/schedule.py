"""The noise schedule: how much signal is left at each timestep."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def cosine_alpha_bar(timesteps: int) -> Tensor:
    """Share of signal variance that is left at timesteps 0..T-1, (T,), falling from almost 1 to almost 0.

    The cosine schedule of Nichol and Dhariwal (2021), Improved denoising diffusion probabilistic models, eq. 17,
    within the DDPM of Ho, Jain and Abbeel (2020).
    """
    offset = 0.008
    time = (torch.arange(timesteps, dtype=torch.float64) + 1) / timesteps
    alpha_bar = torch.cos((time + offset) / (1 + offset) * math.pi / 2) ** 2
    start = math.cos(offset / (1 + offset) * math.pi / 2) ** 2
    return (alpha_bar / start).clamp(1e-4, 0.9999).float()


def add_noise(signal: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """The diffused signal x_t = sqrt(a) x_0 + sqrt(1 - a) e, with a = `alpha_bar` broadcast over (B, C, H, W)."""
    return alpha_bar.sqrt() * signal + (1 - alpha_bar).sqrt() * noise
