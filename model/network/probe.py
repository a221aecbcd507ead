"""Probes: plain classifiers of single pixels, on features that are not trained with them.

Branches that look around a pixel also learn the surroundings of the few training polygons. Where labels are many small
patches of mixed pixels that misleads them, and a kernel machine on single pixels is hard to beat; with few labels a
plain classifier of the diffusion features is (probes: Alain and Bengio 2017). So such are in the ensemble.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..diffusion.unet import level_widths

PROBE_BLOCKS = {  # the blocks of features, in this order side by side, that each probe looks at
    "score_probe": ("scores",),
    "band_probe": ("bands", "scores"),
    "diffusion_probe": ("scores", "diffusion"),
}
_SEED = 2007
_WIDTH = 0.3  # of the Gaussian kernel, over the total variance of the features
_LEAST_DEVIATION = 1e-6  # of a feature: one that varies less is no feature
_FARTHEST = 8.0  # deviations at which a feature is clipped


class ProbeFeatures(nn.Module):
    """What probes see of each pixel, standardised over the scene, as three blocks of features side by side.

    bands      standardised bands
    scores     normal scores of the bands, and local mean differences
    diffusion  diffusion features

    Args:
        bands: number of bands C of all modalities.
        differences: number of local mean differences.
        diffusion_width: base width of the denoising network.
        timesteps: number of timesteps at which its features are taken.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, bands: int, differences: int, diffusion_width: int, timesteps: int) -> None:
        super().__init__()
        levels = timesteps * sum(level_widths(diffusion_width))
        self.sizes = {"bands": bands, "scores": bands + differences, "diffusion": levels}
        self.register_buffer("mean", torch.zeros(self.count))
        self.register_buffer("deviation", torch.ones(self.count))

    @property
    def count(self) -> int:
        """Number F of features."""
        return sum(self.sizes.values())

    def blocks(self, probe: str) -> tuple[int, ...]:
        """Number of features of each block that a probe looks at."""
        return tuple(self.sizes[name] for name in PROBE_BLOCKS[probe])

    def slice_of(self, probe: str) -> slice:
        """Where these blocks stand among all features."""
        names = list(self.sizes)
        first = sum(self.sizes[name] for name in names[: names.index(PROBE_BLOCKS[probe][0])])
        return slice(first, first + sum(self.blocks(probe)))

    @torch.no_grad()
    def fit(self, values: Tensor) -> None:
        """Takes mean and deviation from raw() of pixels (P, F) of the scene."""
        self.mean.copy_(values.mean(dim=0))
        deviation = values.std(dim=0, correction=0)
        self.deviation.copy_(torch.where(deviation > _LEAST_DEVIATION, deviation, torch.ones_like(deviation)))

    def raw(
        self, bands: Tensor, scores: Tensor, differences: Tensor, guides: tuple[Tensor, Tensor, Tensor] | None
    ) -> Tensor:
        """Features (B, F, H, W) before they are standardised, those of the diffusion at the resolution of the patch;
        without guides only the blocks before those."""
        levels = [] if guides is None else list(guides)
        size = scores.shape[-2:]
        levels[1:] = [functional.interpolate(level, size=size, mode="bilinear") for level in levels[1:]]
        return torch.cat([block.float() for block in (bands, scores, differences, *levels)], dim=1)

    def forward(self, raw: Tensor) -> Tensor:
        """What raw() gives (B, F or fewer, H, W), standardised."""
        count = raw.shape[1]
        mean, deviation = self.mean[:count, None, None], self.deviation[:count, None, None]
        return ((raw - mean) / deviation).clamp(-_FARTHEST, _FARTHEST)


class Probe(nn.Module):
    """Logistic regression on orthogonal random Fourier features (Yu et al. 2016) of standardised features.

    They stand for the Gaussian kernel exp(-w |x - y|^2 / v), where every block of features has the same total variance
    and v is that of all. Convex, fitted in a moment, deterministic; all scores are 0 before it is fitted.

    Args:
        blocks: number of features of each block; F in all.
        classes: number of classes K.
        fourier_features: number R of random Fourier features.
    """

    frequencies: Tensor
    phases: Tensor
    scale: Tensor
    weights: Tensor
    bias: Tensor

    def __init__(self, blocks: Sequence[int], classes: int, fourier_features: int) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(_SEED)
        directions = _orthogonal(fourier_features, sum(blocks), random)
        spread = torch.cat([torch.full((size,), 1 / math.sqrt(size)) for size in blocks if size])
        self.register_buffer("frequencies", directions * spread)
        self.register_buffer("phases", torch.rand(fourier_features, generator=random) * 2 * math.pi)
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("weights", torch.zeros(classes, fourier_features))
        self.register_buffer("bias", torch.zeros(classes))
        self._blocks = tuple(blocks)

    @torch.no_grad()
    def set_width(self, values: Tensor) -> None:
        """Sets the kernel's width by the total variance of features (P, F)."""
        variances = values.var(dim=0, correction=0).split(self._blocks)
        total = sum(float(block.mean()) for block in variances if len(block))
        self.scale.fill_(math.sqrt(2 * _WIDTH / max(total, _LEAST_DEVIATION)))

    def basis(self, values: Tensor) -> Tensor:
        """Features (P, F) to random Fourier features (P, R), of about unit length in all."""
        waves = values @ (self.frequencies * self.scale).T + self.phases
        return waves.cos() * math.sqrt(2 / len(self.phases))

    def forward(self, image: Tensor) -> Tensor:
        """Features (B, F, H, W) to class scores (B, K, H, W)."""
        with torch.autocast(image.device.type, enabled=False):  # waves of many radians need their digits
            pixels = image.float().permute(0, 2, 3, 1)
            scores = self.basis(pixels.flatten(0, 2)) @ self.weights.T + self.bias
            return scores.unflatten(0, pixels.shape[:3]).permute(0, 3, 1, 2)


def _orthogonal(rows: int, columns: int, random: torch.Generator) -> Tensor:
    """Directions (rows, columns), orthogonal as far as they can be, as long as normal deviates are."""
    blocks: list[Tensor] = []
    while sum(len(block) for block in blocks) < rows:
        some = min(rows, columns)
        square, _ = torch.linalg.qr(torch.randn(columns, some, generator=random))
        blocks.append(square.T * torch.randn(some, columns, generator=random).norm(dim=1, keepdim=True))
    return torch.cat(blocks)[:rows]
