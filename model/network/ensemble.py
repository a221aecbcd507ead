"""How the members' log-probabilities become one answer."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

LEAST_PROBABILITY = 1e-4  # no member may rule a class out


class OpinionPool(nn.Module):
    """Branches speak as one, by their geometric mean; that and the probes are averaged, each to its weight.

    The first is a logarithmic, the second a linear opinion pool (Genest and Zidek 1986): branches learn from each other
    and err alike, probes are independent, and where one of those is sure another's doubt takes nothing from it. A power
    of the result, the inverse of a temperature (Guo et al. 2017), makes it as sure as it is right. At first all members
    weigh the same.

    Args:
        branches: number of branches, the first of the members.
        probes: number of probes.
    """

    weights: Tensor
    sharpness: Tensor

    def __init__(self, branches: int, probes: int) -> None:
        super().__init__()
        self.branches = branches
        self.register_buffer("weights", torch.full((branches + probes,), 1 / max(1, branches + probes)))
        self.register_buffer("sharpness", torch.ones(()))

    @torch.no_grad()
    def set(self, weights: np.ndarray, sharpness: float = 1.0) -> None:
        """Takes the members' weights (V,) and the power of the result."""
        self.weights.copy_(torch.from_numpy(weights))
        self.sharpness.fill_(sharpness)

    def forward(self, log_probabilities: Tensor) -> Tensor:
        """Log-probabilities of every member (B, V, K, ...) to class probabilities (B, K, ...)."""
        return sharpened(pooled(log_probabilities, self.weights, self.branches), self.sharpness)


def pooled(log_probabilities: Tensor, weights: Tensor, branches: int) -> Tensor:
    """Probabilities (B, K, ...) of members (B, V, K, ...) with weights (V,), of which the first are branches."""
    own = weights.reshape(-1, 1, *[1] * (log_probabilities.dim() - 3))
    total = (log_probabilities[:, branches:].exp() * own[branches:]).sum(dim=1)
    if branches:
        together = log_probabilities[:, :branches].mean(dim=1).softmax(dim=1)
        total = total + together * weights[:branches].sum()
    total = total.clamp(min=LEAST_PROBABILITY)
    return total / total.sum(dim=1, keepdim=True)


def sharpened(probabilities: Tensor, sharpness: Tensor) -> Tensor:
    """Probabilities (B, K, ...) in proportion to a power of themselves."""
    return (probabilities.log() * sharpness).softmax(dim=1)
