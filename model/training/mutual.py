"""Mutual learning: the branches teach each other by aligning entropy and features.

The abstract of arXiv 2509.23310 names "aligning entropy and feature similarity"; the form below is our reading, with
deep mutual learning (Zhang et al. 2018) and SimSiam's stop-gradient (Chen and He 2021) as models.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..network.classifier import BranchOutput
from ..shared.settings import MutualSettings


class EntropyAlignment(nn.Module):
    """Moves each branch toward the others' distribution, the others weighted by their confidence (low entropy).

    Targets are detached. An unlabelled pixel takes part only where its target is confident, and that target is first
    moved toward the label prior (distribution alignment, Berthelot et al. 2020, ReMixMatch): else the largest class
    would feed on the others.

    Args:
        prior: (K,) share of each class in the training labels.
        confidence: what an unlabelled pixel's target needs to take part.
    """

    prior: Tensor
    shares: Tensor

    def __init__(self, prior: Tensor, confidence: float) -> None:
        super().__init__()
        self.confidence = confidence
        self.register_buffer("prior", prior / prior.sum())
        self.register_buffer("shares", self.prior.clone())  # running class shares of the predictions

    def forward(self, logits: list[Tensor], labelled: Tensor, counted: Tensor) -> Tensor:
        """Mean divergence; logits (P, K) per branch, labelled and counted (P,) bool: counted is False for pixels that
        are invalid or held out."""
        probabilities = [each.detach().softmax(dim=1) for each in logits]
        certainty = torch.stack([1 - _entropy(each) / math.log(max(2, each.shape[1])) for each in probabilities])
        self._follow(torch.stack(probabilities).mean(dim=0)[counted])
        loss = logits[0].new_zeros(())
        for number, each in enumerate(logits):
            others = [other for other in range(len(logits)) if other != number]
            weights = certainty[others].clamp(min=1e-3)
            weights = weights / weights.sum(dim=0)
            target = (torch.stack([probabilities[other] for other in others]) * weights[..., None]).sum(dim=0)
            aligned = target * (self.prior / self.shares.clamp(min=1e-3))
            aligned = aligned / aligned.sum(dim=1, keepdim=True)
            target = torch.where(labelled[:, None], target, aligned)
            takes_part = counted & (labelled | (target.amax(dim=1) >= self.confidence))
            divergence = functional.kl_div(each.log_softmax(dim=1), target, reduction="none").sum(dim=1)
            loss = loss + (divergence * takes_part).sum() / takes_part.sum().clamp(min=1)
        return loss / len(logits)

    def _follow(self, probabilities: Tensor) -> None:
        if len(probabilities):
            self.shares.lerp_(probabilities.mean(dim=0), 0.05)


def _entropy(probabilities: Tensor) -> Tensor:
    return -(probabilities * probabilities.clamp(min=1e-8).log()).sum(dim=1)


class FeatureSimilarity(nn.Module):
    """Projected, centred features of the same pixel agree in cosine between branches.

    Each branch is projected; a small predictor must find the other branch's projection, which is detached, so that
    the projections cannot collapse together for the loss's sake.

    Args:
        branches: names of the branches.
        channels: width of their features.
        size: width of the projection.
    """

    def __init__(self, branches: tuple[str, ...], channels: int, size: int = 32) -> None:
        super().__init__()
        self.projections = nn.ModuleDict({name: nn.Linear(channels, size) for name in branches})
        self.predictors = nn.ModuleDict(
            {name: nn.Sequential(nn.Linear(size, size), nn.SiLU(), nn.Linear(size, size)) for name in branches}
        )

    def project(self, name: str, features: Tensor) -> Tensor:
        """Centred projections (P, S) of a branch's features (P, C)."""
        projected: Tensor = self.projections[name](features)
        return projected - projected.mean(dim=0)

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Mean of 1 - cosine over all ordered pairs of branches; features (P, C) per branch."""
        projected = {name: self.project(name, each) for name, each in features.items()}
        losses = [
            1 - functional.cosine_similarity(self.predictors[one](projected[one]), projected[other].detach()).mean()
            for one in projected
            for other in projected
            if one != other
        ]
        return torch.stack(losses).mean()


class MutualLearning(nn.Module):
    """Both mutual terms, weighted; 0 with a single branch.

    Args:
        branches: names of the branches in use.
        channels: width of their features.
        prior: (K,) share of each class in the training labels.
        settings: the weights.
        pixels: drawn from a batch for feature similarity.
    """

    def __init__(
        self, branches: tuple[str, ...], channels: int, prior: Tensor, settings: MutualSettings, pixels: int = 2048
    ) -> None:
        super().__init__()
        self.settings = settings
        self.pixels = pixels
        self.alignment = EntropyAlignment(prior, settings.confidence)
        self.similarity = FeatureSimilarity(branches, channels)

    def forward(
        self, outputs: dict[str, BranchOutput], labels: Tensor, counted: Tensor, random: torch.Generator
    ) -> Tensor:
        """The weighted sum for a batch of patches: labels (B, H, W) with -1 where unlabelled, counted (B, H, W)."""
        logits = [each.logits.permute(0, 2, 3, 1).flatten(0, 2) for each in outputs.values()]
        if len(logits) < 2:
            return logits[0].new_zeros(())
        flat, kept = labels.flatten(), counted.flatten()
        loss = logits[0].new_zeros(())
        if self.settings.entropy > 0:
            loss = loss + self.settings.entropy * self.alignment(logits, flat >= 0, kept)
        if self.settings.feature > 0:
            places = kept.nonzero()[:, 0]
            places = places[torch.randperm(len(places), generator=random)[: self.pixels].to(places.device)]
            if len(places) > 1:
                features = {
                    name: each.features.permute(0, 2, 3, 1).flatten(0, 2)[places] for name, each in outputs.items()
                }
                loss = loss + self.settings.feature * self.similarity(features)
        return loss
