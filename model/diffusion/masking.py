"""Adaptive modality masking: whom the network leans on most is hidden most, so that the others must carry the picture.

The abstract of arXiv 2509.23310 names the idea; reliance, rates and blocks are our reading of it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..shared.settings import DiffusionSettings


class ModalityMasking:
    """Decides which blocks of which modality are hidden.

    Every modality has a rate, the share of its blocks that are hidden. With `adaptive` masking the rates follow the
    reliance on each modality: the relative rise of the error on the *other* modalities when it is hidden.

    Args:
        modalities: their number M.
        settings: mode, block side, bounds and speed of the rates.
    """

    def __init__(self, modalities: int, settings: DiffusionSettings) -> None:
        self.settings = settings
        middle = (settings.rate_low + settings.rate_high) / 2
        self.rates = np.full(modalities, 0.0 if settings.masking == "none" else middle)
        self.reliance = np.zeros(modalities)
        self.measured = False

    def observe(self, reliance: np.ndarray, decay: float = 0.8) -> None:
        """Takes a new measurement of the reliance (M,) into the running one."""
        reliance = np.maximum(reliance, 0.0)
        self.reliance = decay * self.reliance + (1 - decay) * reliance if self.measured else reliance
        self.measured = True

    def update(self) -> None:
        """Moves each rate one bounded step: the most relied on toward the upper bound, no reliance toward the lower."""
        if self.settings.masking != "adaptive" or len(self.rates) == 1:
            return
        low, high, step = self.settings.rate_low, self.settings.rate_high, self.settings.rate_step
        strongest = self.reliance.max()
        share = self.reliance / strongest if strongest > 0 else np.full(len(self.rates), 0.5)
        goal = low + (high - low) * share
        self.rates = np.clip(self.rates + np.clip(goal - self.rates, -step, step), low, high)

    def draw(self, batch: int, height: int, width: int, random: torch.Generator) -> Tensor:
        """Hidden pixels (B, M, H, W) as bool: never all modalities at one pixel, unless there is only one."""
        block = self.settings.block
        rows, columns = -(-height // block), -(-width // block)
        count = len(self.rates)
        chance = torch.rand(batch, count, rows, columns, generator=random)
        rates = torch.tensor(self.rates, dtype=torch.float32)[None, :, None, None]
        hidden = chance < rates
        if count > 1:
            # where all would be hidden, the one whose draw was furthest from its rate stays visible
            furthest = (chance / rates.clamp(min=1e-6)).argmax(dim=1)
            spared = functional.one_hot(furthest, count).permute(0, 3, 1, 2).bool()
            hidden &= ~(hidden.all(dim=1, keepdim=True) & spared)
        grown = hidden.repeat_interleave(block, dim=2).repeat_interleave(block, dim=3)
        return grown[:, :, :height, :width]


def balance_index(skills: np.ndarray) -> float:
    """How evenly the modalities are learned: least over greatest skill, 1 with a single modality or no skill at all."""
    greatest = float(skills.max())
    return float(skills.min()) / greatest if greatest > 0 else 1.0
