"""How the members' log-probabilities become one answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_PROBABILITY = 1e-4  # no member may rule a class out
LEAST_GROUP_SHARE = 0.3  # of all weight, or a group of members is left out
EQUAL_WEIGHT_POLYGONS = 3  # polygons that equal weights are worth


class OpinionPool(nn.Module):
    """A logarithmic pool: class probabilities in proportion to the product of the members' own, each to its weight.

    Weights say how far a member is to be trusted and, by their sum, how sure the answer is. All weigh the
    same before fit() or level_groups().

    Args:
        groups: (V,) group of each member, counted from 0; those of a group keep the same weight.
    """

    weights: Tensor

    def __init__(self, groups: Sequence[int]) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.register_buffer("weights", torch.full((len(self.groups),), 1 / len(self.groups)))

    def forward(self, log_probabilities: Tensor) -> Tensor:
        """Log-probabilities of every member (B, V, K, ...) to class probabilities (B, K, ...)."""
        weights = self.weights.reshape(-1, 1, *[1] * (log_probabilities.dim() - 3))
        return (log_probabilities.clamp(min=math.log(LEAST_PROBABILITY)) * weights).sum(dim=1).softmax(dim=1)

    @torch.no_grad()
    def level_groups(self) -> None:
        """Lets groups weigh the same, and the members of a group too."""
        sizes = torch.bincount(torch.tensor(self.groups))
        self.weights.copy_(1 / (len(sizes) * sizes[list(self.groups)]))

    @torch.no_grad()
    def fit(self, log_probabilities: Tensor, classes: Tensor, polygons: int) -> None:
        """Finds the weights under which the pool is least surprised by pixels that no member has learned from.

        They are never negative, and as near to equal ones as if EQUAL_WEIGHT_POLYGONS polygons more had spoken for
        those. A group that comes to less than LEAST_GROUP_SHARE of all weight is left out: such a share is more often
        chance than knowledge.

        Args:
            log_probabilities: (P, V, K) log-probabilities.
            classes: (P,) class positions.
            polygons: number of polygons that the pixels come from.
        """
        group_of = torch.tensor(self.groups)
        all_groups = torch.ones(int(group_of.max()) + 1, dtype=torch.bool)
        weights, shares = self._weights_of(log_probabilities, classes, polygons, all_groups)
        active = shares >= LEAST_GROUP_SHARE
        if active.any() and not active.all():
            weights, _ = self._weights_of(log_probabilities, classes, polygons, active)
        self.weights.copy_(weights)

    def _weights_of(
        self, log_probabilities: Tensor, classes: Tensor, polygons: int, active: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Weights (V,) of the members, 0 for those whose group is not active, and the share (G,) of each group."""
        group_of = torch.tensor(self.groups)
        sizes = torch.bincount(group_of) * active
        fair = sizes / sizes.sum()
        with torch.inference_mode(False), torch.enable_grad():
            log_probabilities = log_probabilities.clamp(min=math.log(LEAST_PROBABILITY)).clone()
            log_total = torch.zeros(()).requires_grad_()  # logarithm of the sum of all weights
            log_ratio = torch.zeros(len(fair)).requires_grad_()  # logarithm of a share over the fair one
            search = torch.optim.LBFGS([log_total, log_ratio], max_iter=100, line_search_fn="strong_wolfe")

            def weights_and_shares() -> tuple[Tensor, Tensor]:
                shares = (fair.log() + log_ratio).softmax(dim=0)
                return log_total.exp() * (shares / sizes.clamp(min=1))[group_of], shares

            def loss() -> Tensor:
                search.zero_grad()
                weights, shares = weights_and_shares()
                surprise = functional.cross_entropy((log_probabilities * weights[:, None]).sum(dim=1), classes)
                divergence = (fair[active] * (fair[active] / shares[active]).log()).sum() + log_total**2
                total = surprise + EQUAL_WEIGHT_POLYGONS / max(1, polygons) * divergence
                total.backward()
                return total

            search.step(loss)
            weights, shares = weights_and_shares()
        return weights.detach(), shares.detach()
