"""How diffusion features guide a branch, each by the mechanism that suits its level.

The abstract of arXiv 2509.23310 names feature fusion, group channel attention and cross-attention; their inner form is
our reading of it.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import PixelNorm, mean_around


class FeatureFusion(nn.Module):
    """Guides the CNN: fine diffusion features join the branch, each pixel deciding how much.

    Shapes: x (B, C, H, W), guide (B, G, H, W), out (B, C, H, W).
    """

    def __init__(self, channels: int, guide: int) -> None:
        super().__init__()
        self.norm = PixelNorm(guide)
        self.project = nn.Conv2d(guide, channels, 1)
        self.gate = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """(B, C, H, W) and (B, G, H, W) to (B, C, H, W)."""
        guide = self.project(self.norm(guide))
        gate = torch.sigmoid(self.gate(torch.cat([x, guide], dim=1)))
        return x + gate * guide


class GroupChannelAttention(nn.Module):
    """Guides the Mamba branch: channels are weighed in groups by what a neighbourhood of both features says.

    Channel attention usually pools over the whole image; here over `reach` pixels around each pixel, so that the answer
    at a pixel does not hang on what else its patch holds.

    Shapes: x (B, C, H, W), guide (B, G, H, W), out (B, C, H, W).
    """

    def __init__(self, channels: int, guide: int, groups: int = 4, reach: int = 7) -> None:
        super().__init__()
        self.reach = reach
        self.norm = PixelNorm(guide)
        self.project = nn.Conv2d(guide, channels, 1)
        hidden = max(2 * groups, channels // 2)
        self.squeeze = nn.Conv2d(2 * channels, hidden, 1, groups=groups)
        self.excite = nn.Conv2d(hidden, 2 * channels, 1, groups=groups)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """(B, C, H, W) and (B, G, H, W) to (B, C, H, W)."""
        guide = self.project(self.norm(guide))
        # interleaved, so that a group holds the same channels of both
        both = torch.stack([x, guide], dim=2).flatten(1, 2)
        around = mean_around(both, self.reach)
        weights = torch.sigmoid(self.excite(functional.silu(self.squeeze(around))))
        weighed = both * weights
        return 2 * weighed.unflatten(1, (-1, 2)).sum(dim=2)


class CrossAttention(nn.Module):
    """Guides the Transformer: the branch's tokens ask, the coarse diffusion features answer.

    Shapes: x (B, C, H, W), guide (B, G, H, W), out (B, C, H, W).
    """

    def __init__(self, channels: int, guide: int, head: int = 16) -> None:
        super().__init__()
        self.heads = max(1, channels // head)
        self.norm = PixelNorm(channels)
        self.norm_guide = PixelNorm(guide)
        self.query = nn.Conv2d(channels, channels, 1)
        self.key_value = nn.Conv2d(guide, 2 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """(B, C, H, W) and (B, G, H, W) to (B, C, H, W)."""
        key, value = self.key_value(self.norm_guide(guide)).chunk(2, dim=1)
        return x + self.out(attend(self.query(self.norm(x)), key, value, self.heads))


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Attention of every pixel to every pixel, all (B, C, H, W), C split into heads.

    Near pixels weigh more, each head fading at its own rate (Press et al. 2022, ALiBi, in two dimensions): no absolute
    positions, and what lies far off in a patch cannot turn a pixel's answer.
    """
    batch, channels, height, width = query.shape
    # with a dimension for the batch, or torch falls back to a form that keeps every weight
    fading = distance_bias(height, width, heads).to(query)[None]

    def tokens(image: Tensor) -> Tensor:
        return image.reshape(batch, heads, channels // heads, height * width).transpose(2, 3)

    mixed = functional.scaled_dot_product_attention(tokens(query), tokens(key), tokens(value), attn_mask=fading)
    return mixed.transpose(2, 3).reshape(batch, channels, height, width)


@functools.lru_cache(maxsize=32)
def distance_bias(height: int, width: int, heads: int) -> Tensor:
    """What attention loses with distance: -slope * distance in tokens, the heads' slopes from 1 to 1/2, (h, HW, HW)."""
    with torch.inference_mode(False):  # kept for training too, whoever asks first
        places = torch.cartesian_prod(torch.arange(height), torch.arange(width)).float()
        slopes = torch.linspace(1, 0.5, heads)
        return -slopes[:, None, None] * torch.cdist(places, places)
