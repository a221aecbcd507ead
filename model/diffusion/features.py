"""Diffusion features as guidance: what the frozen network sees at a few timesteps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..shared.settings import Settings
from .schedule import add_noise, cosine_alpha_bar
from .unet import UNet

NOISE_TILE = 64  # pixels after which the fixed noise repeats over the grid
NOISE_SEED = 2509_23310


class DiffusionFeatures(nn.Module):
    """Decoder features of the frozen network at three levels, for one to three timesteps side by side.

    The noise is a fixed tile repeated over the grid's pixels: the same pixel gets the same noise in every patch.

    Args:
        unet: the pre-trained network.
        channels: channels D of all modalities.
        settings: diffusion schedule and the timesteps to look at.
    """

    noise: Tensor

    def __init__(self, unet: UNet, channels: int, settings: Settings) -> None:
        super().__init__()
        self.unet = unet.requires_grad_(False).eval()
        self.timesteps: Sequence[int] = settings.branches.timesteps
        self.alpha_bar = cosine_alpha_bar(settings.diffusion.schedule)
        random = torch.Generator().manual_seed(NOISE_SEED)
        noise = torch.randn(NOISE_TILE, NOISE_TILE, channels, generator=random)
        self.register_buffer("noise", noise, persistent=False)

    @torch.no_grad()
    def forward(self, inputs: Tensor, valid: Tensor, corners: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features (B, n w, H, W), (B, 1.5 n w, H/2, W/2), (B, 2 n w, H/4, W/4) of patches (B, D, H, W) whose first
        pixels stand at grid positions `corners` (B, 2)."""
        noise = self._noise_at(corners, inputs.shape[-1])
        flags = valid.to(inputs.dtype)
        levels = []
        for timestep in self.timesteps:
            diffused = add_noise(inputs, noise, self.alpha_bar[timestep])
            timesteps = torch.full((len(inputs),), timestep, device=inputs.device)
            levels.append(self.unet.features(diffused, flags, timesteps))
        fine, middle, coarse = (torch.cat(level, dim=1) for level in zip(*levels, strict=True))
        return fine, middle, coarse

    def _noise_at(self, corners: Tensor, patch_size: int) -> Tensor:
        steps = torch.arange(patch_size, device=self.noise.device)
        places = (corners.to(self.noise.device)[:, :, None] + steps) % NOISE_TILE  # (B, 2, H)
        return self.noise[places[:, 0, :, None], places[:, 1, None, :]].permute(0, 3, 1, 2)
