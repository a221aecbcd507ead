"""How the voters' opinions become one answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST = 1e-4  # of a probability: no voter may rule a class out
LEAST_SHARE = 0.25  # of all weight, for a group of voters to be heard


class Vote(nn.Module):
    """A logarithmic pool: class probabilities in proportion to the product of the voters' own, each to its weight.

    Weights say how far a voter is to be trusted and, by their sum, how sure the answer is. Before fit() all
    weigh the same.

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

        They are never negative, and stay near equal weights where few polygons speak. A group that comes to less than
        LEAST_SHARE of all weight is left out: such a share is more often chance than knowledge.

        Args:
            opinions: (P, V, K) log-probabilities.
            classes: (P,) class positions.
            polygons: number of polygons that the pixels come from.
        """
        which = torch.tensor(self.groups)
        weights = self._found(opinions, classes, polygons, which, torch.ones(len(which)))
        shares = torch.zeros(int(which.max()) + 1).index_add_(0, which, weights) / weights.sum()
        kept = (shares >= LEAST_SHARE)[which].float()
        if not kept.all():
            weights = self._found(opinions, classes, polygons, which, kept)
        self.weights.copy_(weights)

    def _found(self, opinions: Tensor, classes: Tensor, polygons: int, which: Tensor, kept: Tensor) -> Tensor:
        """Weights (V,) of the voters that are kept, 0 for the others; `which` is the group of each."""
        usual = kept / kept.sum()
        with torch.inference_mode(False), torch.enable_grad():
            opinions = opinions.clamp(min=math.log(LEAST)).clone()
            powers = torch.full((int(which.max()) + 1,), math.log(1 / float(kept.sum()))).requires_grad_()
            search = torch.optim.LBFGS([powers], max_iter=100, line_search_fn="strong_wolfe")

            def loss() -> Tensor:
                search.zero_grad()
                weights = powers.exp()[which] * kept
                wrong = functional.cross_entropy((opinions * weights[:, None]).sum(dim=1), classes)
                total = wrong + 0.5 / max(1, polygons) * ((weights - usual) ** 2).sum()
                total.backward()
                return total

            search.step(loss)
        return powers.detach().exp()[which] * kept
