"""Local mean differences: how a raster of few bands stands out from its surroundings.

A surface model rides on terrain: what matters is not how high a pixel lies but how much higher than those around it. A
network given few polygons learns the absolute height instead, since it is there to be learned. So the branches also see
each such channel less its mean over a neighbourhood, at two reaches; so does the probe.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

MOST_CHANNELS = 2  # a modality of more channels tells its materials apart by their spectrum


class LocalMeanDifference(nn.Module):
    """Channels less their local means, in units of their usual deviation.

    The mean is taken over valid pixels of a bounded neighbourhood. A patch's edge cuts it short: in maps by 0.02 of
    the usual deviation, on average, where patches of 64 pixels are not yet blended. In the small patches of training
    it is often the whole patch; means from beyond their edges measured worse (docs/accuracy.md).

    Args:
        groups: number of channels of each modality, in order.
        reaches: sides of the neighbourhoods in pixels, odd numbers; none switches it off.
    """

    scale: Tensor

    def __init__(self, groups: Sequence[int], reaches: Sequence[int]) -> None:
        super().__init__()
        self.chosen: list[int] = []
        self.reaches = tuple(reaches)
        first = 0
        for count in groups:
            if count <= MOST_CHANNELS and reaches:
                self.chosen += range(first, first + count)
            first += count
        self.register_buffer("scale", torch.ones(self.channels))

    @property
    def channels(self) -> int:
        """Number of channels that come out."""
        return len(self.reaches) * len(self.chosen)

    @torch.no_grad()
    def fit(self, inputs: Tensor, valid: Tensor) -> None:
        """Takes the usual deviations from a sample of patches (B, D, H, W), valid (B, 1, H, W)."""
        if self.chosen:
            self.scale.fill_(1)
            differences = self(inputs, valid)
            kept = valid.expand_as(differences)
            squares = (differences**2 * kept).sum(dim=(0, 2, 3)) / kept.sum(dim=(0, 2, 3)).clamp(min=1)
            self.scale.copy_(squares.sqrt().clamp(min=1e-3))

    def forward(self, inputs: Tensor, valid: Tensor) -> Tensor:
        """Channels (B, D, H, W) and valid pixels (B, 1, H, W) to differences (B, n d, H, W), 0 where invalid."""
        if not self.chosen:
            return inputs[:, :0]
        flags = valid.to(inputs.dtype)
        chosen = inputs[:, self.chosen]
        parts = [chosen - _mean(chosen, reach) / _mean(flags, reach).clamp(min=1e-3) for reach in self.reaches]
        return torch.cat(parts, dim=1) * flags / self.scale[:, None, None]


def _mean(image: Tensor, reach: int) -> Tensor:
    """Mean over a square around each pixel, as two passes along lines."""
    half = reach // 2
    image = functional.avg_pool2d(image, (reach, 1), stride=1, padding=(half, 0))
    return functional.avg_pool2d(image, (1, reach), stride=1, padding=(0, half))
