"""A running average of a network's weights, which is what is kept."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


class WeightAverage(Generic[Network]):
    """Exponential moving average; young averages follow faster, so that short trainings are not held back. Buffers are
    not averaged but taken over."""

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self._decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Takes the network's present weights in."""
        self.updates += 1
        decay = min(self._decay, (1 + self.updates) / (10 + self.updates))
        for kept, new in zip(self.network.parameters(), network.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)
        for taken, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            taken.copy_(buffer)
