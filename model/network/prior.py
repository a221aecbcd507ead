"""The class prior: how often each class is expected in the map, beside what the pixels themselves say.

A classifier takes over how often it met each class in training, and samples rarely show how much land a class holds.
Its answers are moved from the one to the other by logit adjustment (Menon et al. 2021, Long-tail learning via logit
adjustment).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

MOST = 100.0  # times that a class may gain: one that training hardly met must not take over


class ClassPrior(nn.Module):
    """Moves every member's log-probabilities from the class shares that it learned from to those that are expected.

    Before expect() nothing is moved.

    Args:
        members: number of members V.
        classes: number of classes K.
    """

    shifts: Tensor

    def __init__(self, members: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("shifts", torch.zeros(members, classes))

    def forward(self, log_probabilities: Tensor) -> Tensor:
        """Scores of every member (B, V, K, ...), log-probabilities up to a constant a pixel, to the same."""
        return log_probabilities + self.shifts.reshape(*self.shifts.shape, *[1] * (log_probabilities.dim() - 3))

    @torch.no_grad()
    def expect(self, expected: Tensor, learned: Tensor) -> None:
        """From now on expects classes in proportion to `expected` (K,), counts of any scale.

        Args:
            expected: (K,) how often each class is to be expected, above 0.
            learned: (V, K) how often each member met each class, counts of pixels.
        """
        wanted = expected / expected.sum()
        met = learned / learned.sum(dim=1, keepdim=True).clamp(min=1)
        self.shifts.copy_((wanted / torch.maximum(met, wanted / MOST)).log())
