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
from .schedule import add_noise, cosine_alpha_bar
from .unet import UNet


@dataclass(frozen=True)
class Diffused:
    """A batch of patches with noise, and what is hidden of it.

    signal, noise, noisy_input (B, D, H, W); hidden (B, D, H, W) bool; loss_mask and valid (B, 1, H, W) float;
    timestep (B,); alpha_bar (B, 1, 1, 1), the share of signal.
    """

    signal: Tensor
    noise: Tensor
    noisy_input: Tensor
    hidden: Tensor
    loss_mask: Tensor
    valid: Tensor
    timestep: Tensor
    alpha_bar: Tensor


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
        self.alpha_bar = cosine_alpha_bar(settings.schedule)

    def diffuse(self, patches: Patches, hidden: Tensor, random: torch.Generator) -> Diffused:
        """Adds noise at random timesteps; hides modalities (`hidden` is (B, M, H, W) bool) behind the learned token."""
        signal = patches.inputs
        timestep = torch.randint(len(self.alpha_bar), (len(signal),), generator=random)
        alpha_bar = self.alpha_bar[timestep][:, None, None, None].to(signal.device)
        noise = torch.randn(signal.shape, generator=random).to(signal.device)
        timestep = timestep.to(signal.device)
        wide = torch.cat([hidden[:, m : m + 1].expand(-1, n, -1, -1) for m, n in enumerate(self.groups)], dim=1)
        wide = wide.to(signal.device)
        noisy = add_noise(signal, noise, alpha_bar)
        noisy_input = torch.where(wide, self.unet.token[:, None, None], noisy)
        loss_mask = (patches.valid[:, 0] & ~patches.held)[:, None].float()
        return Diffused(signal, noise, noisy_input, wide, loss_mask, patches.valid.float(), timestep, alpha_bar)

    def errors(self, batch: Diffused) -> tuple[Tensor, Tensor, Tensor]:
        """Squared errors averaged over each modality's channels: of the answer and of x0, (B, M, H, W) each, and the
        share of hidden pixels (B, M, H, W)."""
        with mixed_precision(batch.noisy_input.device):
            answer = self.unet(batch.noisy_input, batch.valid, batch.timestep)
        velocity = batch.alpha_bar.sqrt() * batch.noise - (1 - batch.alpha_bar).sqrt() * batch.signal
        errors = answer.float() - torch.where(batch.hidden, batch.signal, -velocity)
        signal_errors = torch.where(batch.hidden, errors, errors * (1 - batch.alpha_bar).sqrt())
        return (
            self._by_modality(errors**2),
            self._by_modality(signal_errors**2),
            self._by_modality(batch.hidden.float()),
        )

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
            _, signal_errors, _ = self.errors(batch)
            errors.append(masked_mean(signal_errors, batch.loss_mask).cpu().numpy())
        seen, rises = errors[0], []
        for gone in range(count):
            others = [m for m in range(count) if m != gone]
            rises.append(float(np.mean([errors[1 + gone][m] / max(seen[m], 1e-6) - 1 for m in others])))
        return np.array(rises)


def masked_mean(values: Tensor, loss_mask: Tensor) -> Tensor:
    """Mean over patches and the pixels of the loss mask (B, 1, H, W), (B, M, H, W) to (M,)."""
    return (values * loss_mask).sum(dim=(0, 2, 3)) / loss_mask.sum().clamp(min=1)


class SkillMeter:
    """Skill s_m = 1 - E[noise error on visible pixels] / E[alpha-bar], clipped to [0, 1]: a ratio of running averages,
    since the plain loss measures the noise schedule and not the modality. Guessing nothing has skill 0."""

    def __init__(self, modalities: int, decay: float = 0.98) -> None:
        self.error = np.zeros(modalities)
        self.alpha_bar = np.zeros(modalities)
        self._decay = decay

    def observe(self, errors: Tensor, hidden: Tensor, batch: Diffused) -> None:
        """Takes in a batch's squared errors of the answer (B, M, H, W); noise error = alpha-bar times that of v."""
        seen = batch.loss_mask * (1 - hidden)
        pixels = seen.sum(dim=(0, 2, 3)).clamp(min=1)
        error = ((errors * batch.alpha_bar * seen).sum(dim=(0, 2, 3)) / pixels).cpu().numpy()
        alpha_bar = ((batch.alpha_bar * seen).sum(dim=(0, 2, 3)) / pixels).cpu().numpy()
        self.error = self._decay * self.error + (1 - self._decay) * error
        self.alpha_bar = self._decay * self.alpha_bar + (1 - self._decay) * alpha_bar

    @property
    def skills(self) -> np.ndarray:
        """Skill of each modality, (M,)."""
        share: np.ndarray = np.clip(1 - self.error / np.maximum(self.alpha_bar, 1e-9), 0, 1)
        return share
