"""The denoising network: a small U-Net over all modalities at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..network.layers import PixelNorm, ResidualBlock, Up, down


def level_widths(width: int) -> tuple[int, int, int]:
    """Channels of the fine, middle and coarse level of a network of base width `width`."""
    return width, width * 3 // 2, width * 2


class TimestepEmbedding(nn.Module):
    """The timestep as a vector: (B,) to (B, E). Sinusoids as in Ho et al. (2020), then a small network."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.net = nn.Sequential(nn.Linear(size, size), nn.SiLU(), nn.Linear(size, size), nn.SiLU())

    def forward(self, timestep: Tensor) -> Tensor:
        """(B,) to (B, E)."""
        half = self.size // 2
        scales = torch.exp(-math.log(10_000) * torch.arange(half, device=timestep.device) / half)
        angles = timestep[:, None].float() * scales
        vector: Tensor = self.net(torch.cat([angles.sin(), angles.cos()], dim=1))
        return vector


class UNet(nn.Module):
    """Denoises diffused channels (balanced.py says what its answer stands for); its decoder's features guide.

    Three levels at full, half and quarter resolution; H and W are multiples of 4. A hidden pixel shows the learned
    token in place of its channels; one more input channel flags valid pixels.

    Args:
        channels: number of channels D of all modalities.
        width: channels of the finest level.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        fine, middle, coarse = level_widths(width)
        context = 2 * width
        self.token = nn.Parameter(torch.zeros(channels))
        self.embed = TimestepEmbedding(context)
        self.stem = nn.Conv2d(channels + 1, fine, 3, padding=1)
        self.down_fine = ResidualBlock(fine, context)
        self.to_middle = down(fine, middle)
        self.down_middle = ResidualBlock(middle, context)
        self.to_coarse = down(middle, coarse)
        self.coarse_in = ResidualBlock(coarse, context)
        self.coarse_out = ResidualBlock(coarse, context)
        self.from_coarse = Up(coarse, middle)
        self.up_middle = ResidualBlock(middle, context)
        self.from_middle = Up(middle, fine)
        self.up_fine = ResidualBlock(fine, context)
        self.norm = PixelNorm(fine)
        self.head = nn.Conv2d(fine, channels, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def features(self, diffused: Tensor, valid: Tensor, timestep: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Decoder features (B, w, H, W), (B, 1.5w, H/2, W/2), (B, 2w, H/4, W/4) of diffused channels (B, D, H, W).

        valid is (B, 1, H, W) as float, timestep (B,).
        """
        context = self.embed(timestep)
        x = self.stem(torch.cat([diffused * valid, valid], dim=1))
        fine = self.down_fine(x, context)
        middle = self.down_middle(self.to_middle(fine), context)
        coarse = self.coarse_out(self.coarse_in(self.to_coarse(middle), context), context)
        middle = self.up_middle(middle + self.from_coarse(coarse), context)
        fine = self.up_fine(fine + self.from_middle(middle), context)
        return fine, middle, coarse

    def forward(self, diffused: Tensor, valid: Tensor, timestep: Tensor) -> Tensor:
        """The network's raw answer (B, D, H, W) to diffused channels; see pretraining for what it stands for."""
        fine, _, _ = self.features(diffused, valid, timestep)
        answer: Tensor = self.head(functional.silu(self.norm(fine)))
        return answer
