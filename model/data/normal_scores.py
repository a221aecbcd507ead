"""The normal score transform: each band's values by their rank, as a standard normal deviate.

Skewed bands, outliers and the many shadows of one roof spread evenly, so that neither components nor distances are
ruled by a few extreme pixels. The transform is the one of geostatistics (Deutsch and Journel 1998, GSLIB, section V.2),
from a table of quantiles.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor, nn

KNOTS = 64  # quantiles of a band's table
_TAIL = 1 / 128  # share of pixels beyond the outermost quantile
_FAR = 1e-3  # of a band's range: how far apart the knots lie that fill a table of few distinct values


class NormalScores(nn.Module):
    """Bands to normal scores, linear between the quantiles of a sample and constant beyond them.

    Args:
        bands: number of bands C.
    """

    values: Tensor
    scores: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("values", torch.arange(float(KNOTS)).repeat(bands, 1))
        self.register_buffer("scores", torch.zeros(bands, KNOTS))

    @torch.no_grad()
    def fit(self, values: np.ndarray) -> None:
        """Takes the quantiles of values (P, C) as forward() will get them; a value held by many has their mean rank."""
        ranks = np.linspace(_TAIL, 1 - _TAIL, KNOTS)
        for band, knots in enumerate(np.quantile(values, ranks, axis=0).T.astype(np.float32)):
            distinct, group = np.unique(knots, return_inverse=True)
            mean_ranks = np.bincount(group.ravel(), ranks) / np.bincount(group.ravel())
            scores = [NormalDist().inv_cdf(rank) for rank in mean_ranks]
            missing = KNOTS - len(distinct)
            step = max(float(distinct[-1] - distinct[0]), abs(float(distinct[-1])), 1e-6) * _FAR
            beyond = distinct[-1] + step * np.arange(1, missing + 1)
            self.values[band] = torch.from_numpy(np.concatenate([distinct, beyond]).astype(np.float32))
            self.scores[band] = torch.tensor([*scores, *[scores[-1]] * missing])

    def forward(self, bands: Tensor) -> Tensor:
        """Values (B, C, H, W) to scores of the same shape."""
        flat = bands.movedim(1, 0).flatten(1).contiguous()
        after = torch.searchsorted(self.values, flat).clamp(1, KNOTS - 1)
        low, high = self.values.gather(1, after - 1), self.values.gather(1, after)
        share = ((flat - low) / (high - low)).clamp(0, 1)
        below = self.scores.gather(1, after - 1)
        scores = below + share * (self.scores.gather(1, after) - below)
        return scores.unflatten(1, (bands.shape[0], *bands.shape[2:])).movedim(0, 1)
