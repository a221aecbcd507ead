"""BDGF's classifier: three guided branches, and the pixel's own spectrum, vote for every pixel of a patch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from ..data.local_mean_difference import LocalRelief
from ..diffusion.unet import level_widths
from ..shared.settings import BranchSettings
from .branches import BRANCH_TYPES, GUIDED_BY, LEVEL, Head
from .ensemble import Vote
from .prior import ClassPrior
from .probe import SpectralVoter

SPECTRAL = "spectral"  # name of that voter
Guides: TypeAlias = tuple[Tensor, Tensor, Tensor]  # diffusion features at three levels


@dataclass(frozen=True)
class BranchOutput:
    """What one branch says of a batch of patches: features (B, C, H, W), logits (B, K, H, W)."""

    features: Tensor
    logits: Tensor


class Classifier(nn.Module):
    """The branches in use with their heads, the spectral voter, and the vote.

    Args:
        groups: number of channels of each modality, in order; D in all.
        classes: number of classes K.
        diffusion_width: base width of the denoising network whose features guide.
        settings: width and depth of the branches, which are in use and which are guided.
    """

    def __init__(self, groups: Sequence[int], classes: int, diffusion_width: int, settings: BranchSettings) -> None:
        super().__init__()
        guides = [each * len(settings.timesteps) for each in level_widths(diffusion_width)]
        self.relief = LocalRelief(groups, settings.relief)
        channels = sum(groups) + self.relief.channels + 1
        self.branches = nn.ModuleDict()
        self.heads = nn.ModuleDict()
        for name in settings.use:
            guided = GUIDED_BY[name] in settings.guidance
            self.branches[name] = BRANCH_TYPES[name](
                channels, settings.width, settings.depth, guides[LEVEL[name]], guided, settings.dropout
            )
            self.heads[name] = Head(settings.width, classes)
        self.spectral = SpectralVoter(channels - 1, classes) if settings.spectral else None
        self.vote = Vote([int(name == SPECTRAL) for name in self.voters])
        self.prior = ClassPrior(len(self.voters), classes)

    @property
    def voters(self) -> list[str]:
        """Names of all voters, in the order of their opinions."""
        return [*self.branches, *([SPECTRAL] if self.spectral is not None else [])]

    @property
    def heard(self) -> list[str]:
        """Names of the voters that have weight in the vote."""
        return [name for name, weight in zip(self.voters, self.vote.weights.tolist(), strict=True) if weight > 0]

    def forward(self, inputs: Tensor, valid: Tensor, guides: Guides) -> dict[str, BranchOutput]:
        """Every branch's features and logits for patches (B, D, H, W) with valid pixels (B, 1, H, W)."""
        image = self.image(inputs, valid)
        return {name: self.branch(name, image, guides) for name in self.branches}

    def opinions(self, inputs: Tensor, valid: Tensor, guides: Guides | None, asked: Collection[str]) -> Tensor:
        """Log-probabilities of every voter under the expected class prior, (B, V, K, H, W).

        Args:
            inputs: patches (B, D, H, W).
            valid: valid pixels (B, 1, H, W).
            guides: diffusion features, None where no branch is asked.
            asked: names of voters; the others are not computed and find all classes alike.
        """
        image = self.image(inputs, valid)
        scores: dict[str, Tensor] = {}
        if guides is not None:
            scores |= {name: self.branch(name, image, guides).logits.float() for name in self.branches if name in asked}
        if self.spectral is not None and SPECTRAL in asked:
            scores[SPECTRAL] = self.spectral(image[:, :-1]).float()
        silent = torch.zeros_like(next(iter(scores.values())))
        moved: Tensor = self.prior(torch.stack([scores.get(name, silent) for name in self.voters], dim=1))
        return moved.log_softmax(dim=2)

    def image(self, inputs: Tensor, valid: Tensor) -> Tensor:
        """What every voter sees, (B, I, H, W): channels, local relief, and last valid pixels flagged."""
        image = torch.cat([inputs, self.relief(inputs, valid), valid.to(inputs.dtype)], dim=1)
        return image.contiguous(memory_format=torch.channels_last)

    def branch(self, name: str, image: Tensor, guides: Guides) -> BranchOutput:
        """One branch's features and logits."""
        features = self.branches[name](image, guides[LEVEL[name]])
        return BranchOutput(features, self.heads[name](features))
