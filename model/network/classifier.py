"""BDGF's classifier: an ensemble of three guided branches and of probes of single pixels."""

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
from .probe import PROBE_BLOCKS, Probe, ProbeFeatures

Guides: TypeAlias = tuple[Tensor, Tensor, Tensor]  # diffusion features at three levels


@dataclass(frozen=True)
class PatchInputs:
    """What is known of a batch of patches before the network looks at them.

    channels  (B, D, H, W) of all modalities
    bands     (B, C, H, W) standardised
    scores    (B, C, H, W) normal scores of the bands
    valid     (B, 1, H, W) bool
    """

    channels: Tensor
    bands: Tensor
    scores: Tensor
    valid: Tensor


@dataclass(frozen=True)
class BranchOutput:
    """What one branch says of a batch of patches: features (B, C, H, W), logits (B, K, H, W)."""

    features: Tensor
    logits: Tensor


class Classifier(nn.Module):
    """The branches in use with their heads, the probes, and the pool of them all.

    Args:
        groups: number of channels of each modality, in order; D in all.
        bands: number of bands C of all modalities.
        classes: number of classes K.
        diffusion_width: base width of the denoising network whose features guide.
        settings: width and depth of the branches, which are in use and which are guided; which probes are in use.
    """

    def __init__(
        self, groups: Sequence[int], bands: int, classes: int, diffusion_width: int, settings: BranchSettings
    ) -> None:
        super().__init__()
        self.classes = classes
        guides = [width * len(settings.timesteps) for width in level_widths(diffusion_width)]
        self.local_mean_difference = LocalMeanDifference(groups, settings.local_mean_sides)
        differences = self.local_mean_difference.channels
        self.branches = nn.ModuleDict()
        self.heads = nn.ModuleDict()
        for name in settings.use:
            guided = GUIDED_BY[name] in settings.guidance
            self.branches[name] = BRANCH_TYPES[name](
                sum(groups) + differences + 1,
                settings.width,
                settings.depth,
                guides[LEVEL[name]],
                guided,
                settings.dropout,
            )
            self.heads[name] = Head(settings.width, classes)
        self.probe_features = ProbeFeatures(bands, differences, diffusion_width, len(settings.timesteps))
        self.probes = nn.ModuleDict()
        for name in settings.probes:
            self.probes[name] = Probe(self.probe_features.blocks(name), classes, settings.fourier_features)
        self.pool = OpinionPool(len(self.branches), len(self.probes))
        self.prior = ClassPrior(len(self.members), classes)

    @property
    def members(self) -> list[str]:
        """Names of all members, in the order of their log-probabilities."""
        return [*self.branches, *self.probes]

    @property
    def active_members(self) -> list[str]:
        """Names of the members that have weight in the pool."""
        return [name for name, weight in zip(self.members, self.pool.weights.tolist(), strict=True) if weight > 0]

    def need_guides(self, members: Collection[str]) -> bool:
        """Whether any of some members looks at diffusion features."""
        return any(name in self.branches or "diffusion" in PROBE_BLOCKS[name] for name in members)

    def forward(self, inputs: Tensor, valid: Tensor, guides: Guides) -> dict[str, BranchOutput]:
        """Every branch's features and logits for patches (B, D, H, W) with valid pixels (B, 1, H, W)."""
        image = self.image(inputs, valid)
        return {name: self.branch(name, image, guides) for name in self.branches}

    def log_probabilities(self, seen: PatchInputs, guides: Guides | None, asked: Collection[str]) -> Tensor:
        """Log-probabilities of every member under the expected class prior, (B, V, K, H, W).

        Args:
            seen: the patches.
            guides: diffusion features, None where no member that is asked needs any.
            asked: names of members; the others are not computed and find all classes alike.
        """
        answers: dict[str, Tensor] = {}
        if guides is not None and self.branches.keys() & asked:
            image = self.image(seen.channels, seen.valid)
            for name in self.branches.keys() & asked:
                answers[name] = self.branch(name, image, guides).logits.float()
        if self.probes.keys() & asked:
            features = self.probe_features(self.raw_features(seen, guides))
            for name in self.probes.keys() & asked:
                answers[name] = self.probes[name](features[:, self.probe_features.slice_of(name)])
        silent = torch.zeros_like(next(iter(answers.values())))
        moved: Tensor = self.prior(torch.stack([answers.get(name, silent) for name in self.members], dim=1))
        return moved.log_softmax(dim=2)

    def raw_features(self, seen: PatchInputs, guides: Guides | None) -> Tensor:
        """What the probes see before it is standardised, (B, F, H, W); without guides what needs none."""
        differences = self.local_mean_difference(seen.channels, seen.valid)
        return self.probe_features.raw(seen.bands, seen.scores, differences, guides)

    def image(self, inputs: Tensor, valid: Tensor) -> Tensor:
        """What the branches see, (B, I, H, W): channels, local mean differences, and last valid pixels flagged."""
        image = torch.cat([inputs, self.local_mean_difference(inputs, valid), valid.to(inputs.dtype)], dim=1)
        return image.contiguous(memory_format=torch.channels_last)

    def branch(self, name: str, image: Tensor, guides: Guides) -> BranchOutput:
        """One branch's features and logits."""
        features = self.branches[name](image, guides[LEVEL[name]])
        return BranchOutput(features, self.heads[name](features))
