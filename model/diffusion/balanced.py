"""Balanced diffusion: noisy batches with modalities hidden, the loss, and how much the network leans on each.

The network's answer stands for -v on visible pixels (Salimans and Ho 2022, v = sqrt(a) e - sqrt(1 - a) x0) and for x0
on hidden ones, where noise could not be guessed. The loss is the mean over a modality's channels first, then over
modalities, so that 30 spectral components do not outvote one height band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..data.tiles import Patches
from ..device.choice import mixed_precision
from ..shared.settings import DiffusionSettings
from .schedule import add_noise, alpha_bar
from .unet import UNet


@dataclass(frozen=True)
class Diffused:
    """A batch of patches with noise, and what is hidden of it.

    signal, noise, shown (B, D, H, W); hidden (B, D, H, W) bool; counted and valid (B, 1, H, W) float;
    step (B,); left (B, 1, 1, 1), the share of signal.
    """

    signal: Tensor
    noise: Tensor
    shown: Tensor
    hidden: Tensor
    counted: Tensor
    valid: Tensor
    step: Tensor
    left: Tensor


class BalancedDiffusion:
    """The diffusion of all modalities with masking: builds noisy batches, measures errors per modality.

    Args:
        unet: the denoising network.
        groups: number of channels of each modality, in order.
        settings: schedule and masking.
    """

    def __init__(self, unet: UNet, groups: Sequence[int], settings: DiffusionSettings) -> None:
        self.unet = unet
        self.groups = list(groups)
        self.left = alpha_bar(settings.schedule)

    def diffuse(self, patches: Patches, hidden: Tensor, random: torch.Generator) -> Diffused:
        """Adds noise at random steps and hides modalities (`hidden` is (B, M, H, W) bool) behind the learned token."""
        signal = patches.inputs
        step = torch.randint(len(self.left), (len(signal),), generator=random)
        left = self.left[step][:, None, None, None].to(signal.device)
        noise = torch.randn(signal.shape, generator=random).to(signal.device)
        step = step.to(signal.device)
        wide = torch.cat([hidden[:, m : m + 1].expand(-1, n, -1, -1) for m, n in enumerate(self.groups)], dim=1)
        wide = wide.to(signal.device)
        noisy = add_noise(signal, noise, left)
        shown = torch.where(wide, self.unet.token[:, None, None], noisy)
        counted = (patches.valid[:, 0] & ~patches.held)[:, None].float()
        return Diffused(signal, noise, shown, wide, counted, patches.valid.float(), step, left)

    def errors(self, batch: Diffused) -> tuple[Tensor, Tensor, Tensor]:
        """Squared errors averaged over each modality's channels: of the answer and of x0, (B, M, H, W) each, and the
        share of hidden pixels (B, M, H, W)."""
        with mixed_precision(batch.shown.device):
            answer = self.unet(batch.shown, batch.valid, batch.step)
        velocity = batch.left.sqrt() * batch.noise - (1 - batch.left).sqrt() * batch.signal
        wrong = answer.float() - torch.where(batch.hidden, batch.signal, -velocity)
        of_signal = torch.where(batch.hidden, wrong, wrong * (1 - batch.left).sqrt())
        return self._by_modality(wrong**2), self._by_modality(of_signal**2), self._by_modality(batch.hidden.float())

    def _by_modality(self, values: Tensor) -> Tensor:
        return torch.stack([part.mean(dim=1) for part in values.split(self.groups, dim=1)], dim=1)

    @torch.no_grad()
    def reliance(self, patches: Patches, random: torch.Generator) -> np.ndarray:
        """How much hiding each modality whole raises the x0 error of the others, relative to hiding nothing, (M,)."""
        count = len(self.groups)
        state = random.get_state()
        errors = []
        for gone in range(-1, count):
            random.set_state(state)  # the same noise for every case
            hidden = torch.zeros(len(patches.inputs), count, *patches.inputs.shape[-2:], dtype=torch.bool)
            if gone >= 0:
                hidden[:, gone] = True
            batch = self.diffuse(patches, hidden, random)
            _, of_signal, _ = self.errors(batch)
            errors.append(masked_mean(of_signal, batch.counted).cpu().numpy())
        seen, rises = errors[0], []
        for gone in range(count):
            others = [m for m in range(count) if m != gone]
            rises.append(float(np.mean([errors[1 + gone][m] / max(seen[m], 1e-6) - 1 for m in others])))
        return np.array(rises)


def masked_mean(values: Tensor, counted: Tensor) -> Tensor:
    """Mean over patches and counted pixels, (B, M, H, W) to (M,)."""
    return (values * counted).sum(dim=(0, 2, 3)) / counted.sum().clamp(min=1)


class SkillMeter:
    """Skill s_m = 1 - E[noise error on visible pixels] / E[alpha-bar], clipped to [0, 1]: a ratio of running averages,
    since the plain loss measures the noise schedule and not the modality. Guessing nothing has skill 0."""

    def __init__(self, modalities: int, decay: float = 0.98) -> None:
        self.error = np.zeros(modalities)
        self.left = np.zeros(modalities)
        self._decay = decay

    def observe(self, wrong: Tensor, hidden: Tensor, batch: Diffused) -> None:
        """Takes in a batch's squared errors of the answer (B, M, H, W); noise error = alpha-bar times that of v."""
        seen = batch.counted * (1 - hidden)
        pixels = seen.sum(dim=(0, 2, 3)).clamp(min=1)
        error = ((wrong * batch.left * seen).sum(dim=(0, 2, 3)) / pixels).cpu().numpy()
        left = ((batch.left * seen).sum(dim=(0, 2, 3)) / pixels).cpu().numpy()
        self.error = self._decay * self.error + (1 - self._decay) * error
        self.left = self._decay * self.left + (1 - self._decay) * left

    @property
    def skills(self) -> np.ndarray:
        """Skill of each modality, (M,)."""
        share: np.ndarray = np.clip(1 - self.error / np.maximum(self.left, 1e-9), 0, 1)
        return share
