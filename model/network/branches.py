"""The three branches: local texture, long-range order, relations between distant parts.

Each takes an image (B, I, H, W): the channels of a patch, its local mean differences, and valid pixels flagged; and the
diffusion features of its level (B, G, ...). It gives features (B, C, H, W) at full resolution.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from .guidance import CrossAttention, FeatureFusion, GroupChannelAttention, attend
from .layers import PixelNorm, ResidualBlock, Up, down
from .mamba import MambaLayer


class CnnBranch(nn.Module):
    """Residual convolutions at full resolution, guided by feature fusion."""

    def __init__(self, inputs: int, width: int, depth: int, guide: int, guided: bool, dropout: float) -> None:
        super().__init__()
        self.stem = nn.Conv2d(inputs, width, 3, padding=1)
        self.guidance = FeatureFusion(width, guide) if guided else None
        self.blocks = nn.Sequential(*(ResidualBlock(width, dropout=dropout) for _ in range(depth)))

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """(B, I, H, W) and the guide of its level to (B, C, H, W)."""
        x = self.stem(x)
        if self.guidance is not None:
            x = self.guidance(x, guide)
        features: Tensor = self.blocks(x)
        return features


class MambaBranch(nn.Module):
    """Mamba-2 layers at half resolution, rows and columns in turn, guided by group channel attention."""

    def __init__(self, inputs: int, width: int, depth: int, guide: int, guided: bool, dropout: float) -> None:
        super().__init__()
        self.stem = nn.Conv2d(inputs, width, 3, padding=1)
        self.reduce = down(width, width)
        self.guidance = GroupChannelAttention(width, guide) if guided else None
        self.layers = nn.Sequential(*(MambaLayer(width, by_columns=bool(each % 2)) for each in range(depth)))
        self.enlarge = Up(width, width)
        self.merge = ResidualBlock(width, dropout=dropout)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """(B, I, H, W) and the guide of its level to (B, C, H, W)."""
        fine = self.stem(x)
        x = self.reduce(fine)
        if self.guidance is not None:
            x = self.guidance(x, guide)
        features: Tensor = self.merge(fine + self.enlarge(self.layers(x)))
        return features


class TransformerLayer(nn.Module):
    """Position from a depthwise convolution, self-attention, cross-attention to the guide, a two-layer network."""

    def __init__(self, channels: int, guide: int, guided: bool, head: int = 16) -> None:
        super().__init__()
        self.heads = max(1, channels // head)
        self.position = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.norm = PixelNorm(channels)
        self.query_key_value = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        self.guidance = CrossAttention(channels, guide) if guided else None
        self.norm_mlp = PixelNorm(channels)
        self.mlp = nn.Sequential(nn.Conv2d(channels, 2 * channels, 1), nn.GELU(), nn.Conv2d(2 * channels, channels, 1))

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """(B, C, H, W) and (B, G, H, W) to (B, C, H, W)."""
        x = x + self.position(x)
        query, key, value = self.query_key_value(self.norm(x)).chunk(3, dim=1)
        x = x + self.out(attend(query, key, value, self.heads))
        if self.guidance is not None:
            x = self.guidance(x, guide)
        return x + self.mlp(self.norm_mlp(x))


class TransformerBranch(nn.Module):
    """Transformer layers at quarter resolution, guided by cross-attention. No absolute positions."""

    def __init__(self, inputs: int, width: int, depth: int, guide: int, guided: bool, dropout: float) -> None:
        super().__init__()
        self.stem = nn.Conv2d(inputs, width, 3, padding=1)
        self.reduce_fine = down(width, width)
        self.reduce_middle = down(width, 2 * width)
        self.layers = nn.ModuleList(TransformerLayer(2 * width, guide, guided) for _ in range(depth))
        self.enlarge_coarse = Up(2 * width, width)
        self.enlarge_middle = Up(width, width)
        self.merge = ResidualBlock(width, dropout=dropout)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """(B, I, H, W) and the guide of its level to (B, C, H, W)."""
        fine = self.stem(x)
        middle = self.reduce_fine(functional.silu(fine))
        coarse = self.reduce_middle(functional.silu(middle))
        for layer in self.layers:
            coarse = layer(coarse, guide)
        middle = middle + self.enlarge_coarse(coarse)
        features: Tensor = self.merge(fine + self.enlarge_middle(middle))
        return features


class Head(nn.Module):
    """Features (B, C, H, W) to logits (B, K, H, W), pixel by pixel."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = PixelNorm(channels)
        self.classify = nn.Conv2d(channels, classes, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, K, H, W)."""
        logits: Tensor = self.classify(functional.silu(self.norm(features)))
        return logits


BRANCH_TYPES: dict[str, type[CnnBranch] | type[MambaBranch] | type[TransformerBranch]] = {
    "cnn": CnnBranch,
    "mamba": MambaBranch,
    "transformer": TransformerBranch,
}
GUIDED_BY = {"cnn": "fusion", "mamba": "attention", "transformer": "cross"}
LEVEL = {"cnn": 0, "mamba": 1, "transformer": 2}  # of the diffusion features: fine, middle, coarse
