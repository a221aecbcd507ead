"""How the voters' opinions become one answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST = 1e-4  # of a probability: no voter may rule a class out
LEAST_SHARE = 0.3  # of all weight, for a group of voters to be heard
PRIOR = 3  # polygons that equal voices are worth before any polygon has spoken


class Vote(nn.Module):
    """A logarithmic pool: class probabilities in proportion to the product of the voters' own, each to its weight.

    Weights say how far a voter is to be trusted and, by their sum, how sure the answer is. All weigh the
    same before fit() or level_groups().

    Args:
        groups: (V,) group of each voter, counted from 0; those of a group keep the same weight.
    """

    weights: Tensor

    def __init__(self, groups: Sequence[int]) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.register_buffer("weights", torch.full((len(self.groups),), 1 / len(self.groups)))

    def forward(self, opinions: Tensor) -> Tensor:
        """Log-probabilities of every voter (B, V, K, ...) to class probabilities (B, K, ...)."""
        weights = self.weights.reshape(-1, 1, *[1] * (opinions.dim() - 3))
        return (opinions.clamp(min=math.log(LEAST)) * weights).sum(dim=1).softmax(dim=1)

    @torch.no_grad()
    def level_groups(self) -> None:
        """Lets groups weigh the same, and the voters of a group too."""
        sizes = torch.bincount(torch.tensor(self.groups))
        self.weights.copy_(1 / (len(sizes) * sizes[list(self.groups)]))

    @torch.no_grad()
    def fit(self, opinions: Tensor, classes: Tensor, polygons: int) -> None:
        """Finds the weights under which the pool is least surprised by pixels that no voter has learned from.

        They are never negative, and as near to equal voices as if PRIOR polygons more had spoken for those. A group
        that comes to less than LEAST_SHARE of all weight is left out: such a share is more often chance than knowledge.

        Args:
            opinions: (P, V, K) log-probabilities.
            classes: (P,) class positions.
            polygons: number of polygons that the pixels come from.
        """
        which = torch.tensor(self.groups)
        everyone = torch.ones(int(which.max()) + 1, dtype=torch.bool)
        weights, shares = self._found(opinions, classes, polygons, everyone)
        heard = shares >= LEAST_SHARE
        if heard.any() and not heard.all():
            weights, _ = self._found(opinions, classes, polygons, heard)
        self.weights.copy_(weights)

    def _found(self, opinions: Tensor, classes: Tensor, polygons: int, heard: Tensor) -> tuple[Tensor, Tensor]:
        """Weights (V,) of the voters, 0 for those whose group is not heard, and the share (G,) of each group."""
        which = torch.tensor(self.groups)
        sizes = torch.bincount(which) * heard
        fair = sizes / sizes.sum()
        with torch.inference_mode(False), torch.enable_grad():
            opinions = opinions.clamp(min=math.log(LEAST)).clone()
            power = torch.zeros(()).requires_grad_()  # logarithm of the sum of all weights
            leaning = torch.zeros(len(fair)).requires_grad_()  # logarithm of a share over the fair one
            search = torch.optim.LBFGS([power, leaning], max_iter=100, line_search_fn="strong_wolfe")

            def found() -> tuple[Tensor, Tensor]:
                shares = (fair.log() + leaning).softmax(dim=0)
                return power.exp() * (shares / sizes.clamp(min=1))[which], shares

            def loss() -> Tensor:
                search.zero_grad()
                weights, shares = found()
                wrong = functional.cross_entropy((opinions * weights[:, None]).sum(dim=1), classes)
                apart = (fair[heard] * (fair[heard] / shares[heard]).log()).sum() + power**2
                total = wrong + PRIOR / max(1, polygons) * apart
                total.backward()
                return total

            search.step(loss)
            weights, shares = found()
        return weights.detach(), shares.detach()
