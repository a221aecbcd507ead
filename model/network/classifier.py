"""BDGF's classifier: an ensemble of three guided branches and a probe of each pixel's own channels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from ..data.local_mean_difference import LocalMeanDifference
from ..diffusion.unet import level_widths
from ..shared.settings import BranchSettings
from .branches import BRANCH_TYPES, GUIDED_BY, LEVEL, Head
from .ensemble import OpinionPool
from .prior import ClassPrior
from .probe import PixelProbe

PROBE = "probe"  # name of that member
Guides: TypeAlias = tuple[Tensor, Tensor, Tensor]  # diffusion features at three levels


@dataclass(frozen=True)
class BranchOutput:
    """What one branch says of a batch of patches: features (B, C, H, W), logits (B, K, H, W)."""

    features: Tensor
    logits: Tensor


class Classifier(nn.Module):
    """The branches in use with their heads, the probe, and the pool of them all.

    Args:
        groups: number of channels of each modality, in order; D in all.
        classes: number of classes K.
        diffusion_width: base width of the denoising network whose features guide.
        settings: width and depth of the branches, which are in use and which are guided.
    """

    def __init__(self, groups: Sequence[int], classes: int, diffusion_width: int, settings: BranchSettings) -> None:
        super().__init__()
        guides = [each * len(settings.timesteps) for each in level_widths(diffusion_width)]
        self.local_mean_difference = LocalMeanDifference(groups, settings.local_mean_sides)
        channels = sum(groups) + self.local_mean_difference.channels + 1
        self.branches = nn.ModuleDict()
        self.heads = nn.ModuleDict()
        for name in settings.use:
            guided = GUIDED_BY[name] in settings.guidance
            self.branches[name] = BRANCH_TYPES[name](
                channels, settings.width, settings.depth, guides[LEVEL[name]], guided, settings.dropout
            )
            self.heads[name] = Head(settings.width, classes)
        self.probe = PixelProbe(channels - 1, classes) if settings.probe else None
        self.pool = OpinionPool([int(name == PROBE) for name in self.members])
        self.prior = ClassPrior(len(self.members), classes)

    @property
    def members(self) -> list[str]:
        """Names of all members, in the order of their log-probabilities."""
        return [*self.branches, *([PROBE] if self.probe is not None else [])]

    @property
    def active_members(self) -> list[str]:
        """Names of the members that have weight in the pool."""
        return [name for name, weight in zip(self.members, self.pool.weights.tolist(), strict=True) if weight > 0]

    def forward(self, inputs: Tensor, valid: Tensor, guides: Guides) -> dict[str, BranchOutput]:
        """Every branch's features and logits for patches (B, D, H, W) with valid pixels (B, 1, H, W)."""
        image = self.image(inputs, valid)
        return {name: self.branch(name, image, guides) for name in self.branches}

    def log_probabilities(self, inputs: Tensor, valid: Tensor, guides: Guides | None, asked: Collection[str]) -> Tensor:
        """Log-probabilities of every member under the expected class prior, (B, V, K, H, W).

        Args:
            inputs: patches (B, D, H, W).
            valid: valid pixels (B, 1, H, W).
            guides: diffusion features, None where no branch is asked.
            asked: names of members; the others are not computed and find all classes alike.
        """
        image = self.image(inputs, valid)
        scores: dict[str, Tensor] = {}
        if guides is not None:
            scores |= {name: self.branch(name, image, guides).logits.float() for name in self.branches if name in asked}
        if self.probe is not None and PROBE in asked:
            scores[PROBE] = self.probe(image[:, :-1]).float()
        silent = torch.zeros_like(next(iter(scores.values())))
        moved: Tensor = self.prior(torch.stack([scores.get(name, silent) for name in self.members], dim=1))
        return moved.log_softmax(dim=2)

    def image(self, inputs: Tensor, valid: Tensor) -> Tensor:
        """What every member sees, (B, I, H, W): channels, local mean differences, and last valid pixels flagged."""
        image = torch.cat([inputs, self.local_mean_difference(inputs, valid), valid.to(inputs.dtype)], dim=1)
        return image.contiguous(memory_format=torch.channels_last)

    def branch(self, name: str, image: Tensor, guides: Guides) -> BranchOutput:
        """One branch's features and logits."""
        features = self.branches[name](image, guides[LEVEL[name]])
        return BranchOutput(features, self.heads[name](features))
