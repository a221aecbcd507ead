"""Small layers that several networks share. None takes a statistic over the patch."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional


class PixelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel alone: (B, C, H, W) to the same shape.

    Batch, group and instance norms would make a pixel depend on whatever else its patch holds.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        normed = functional.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias)
        return normed.permute(0, 3, 1, 2)


_drawing = threading.local()


@contextlib.contextmanager
def drawing(seed: int) -> Iterator[None]:
    """Dropout in this thread is drawn from a generator of its own: threads would share torch's as it happens."""
    _drawing.generator = torch.Generator().manual_seed(seed)
    try:
        yield
    finally:
        _drawing.generator = None


class ChannelDropout(nn.Module):
    """Whole channels of a patch are dropped in training, as in Dropout2d; see drawing().

    Args:
        share: of the channels that are dropped.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if not self.training or self.share == 0:
            return x
        drawn = torch.rand(x.shape[:2], generator=getattr(_drawing, "generator", None))
        kept = (drawn >= self.share).to(x) / (1 - self.share)
        return x * kept[:, :, None, None]


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around a skip, with an optional shift and scale per sample (the diffusion step).

    Shapes: x (B, C, H, W), context (B, E) or None, out (B, C, H, W).
    """

    def __init__(self, channels: int, context: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm_in = PixelNorm(channels)
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm_out = PixelNorm(channels)
        self.conv_out = nn.Conv2d(channels, channels, 3, padding=1)
        self.context = nn.Linear(context, 2 * channels) if context else None
        self.dropout = ChannelDropout(dropout)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """(B, C, H, W) and (B, E) or None to (B, C, H, W)."""
        hidden = self.conv_in(functional.silu(self.norm_in(x)))
        hidden = self.norm_out(hidden)
        if self.context is not None and context is not None:
            scale, shift = self.context(context)[:, :, None, None].chunk(2, dim=1)
            hidden = hidden * (1 + scale) + shift
        return x + self.conv_out(self.dropout(functional.silu(hidden)))


def down(channels: int, out: int) -> nn.Conv2d:
    """Halves height and width."""
    return nn.Conv2d(channels, out, 2, stride=2)


class Up(nn.Module):
    """Doubles height and width, (B, C, H, W) to (B, out, 2H, 2W)."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, out, 2H, 2W)."""
        return functional.interpolate(self.conv(x), scale_factor=2, mode="bilinear", align_corners=False)


def mean_around(image: Tensor, reach: int) -> Tensor:
    """Mean of the `reach` x `reach` pixels around each one, fewer at the image's edge; (B, C, H, W) to the same shape.

    Two passes along lines cost a fraction of one over the square.
    """
    half = reach // 2
    image = functional.avg_pool2d(image, (reach, 1), stride=1, padding=(half, 0), count_include_pad=False)
    return functional.avg_pool2d(image, (1, reach), stride=1, padding=(0, half), count_include_pad=False)
