"""From the bands of one raster to the channels of the network: clip, standardise, reduce."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

CLIP = (0.1, 99.9)  # percentiles of the valid pixels
VARIANCE = 0.999  # share kept by the principal components
FLOOR = 0.5  # least deviation of a component, as a share of the first one's: noise is not blown up


class BandScaler(nn.Module):
    """Clips each band to its usual range, standardises it, and turns many bands into principal components.

    Everything learned here is a buffer, so it travels in the model file.

    Args:
        bands: number of bands C of the raster.
        channels: number of channels K it becomes (K = C without principal components).
    """

    low: Tensor
    high: Tensor
    mean: Tensor
    deviation: Tensor
    matrix: Tensor

    def __init__(self, bands: int, channels: int) -> None:
        super().__init__()
        self.reduced = channels != bands
        for name in ("low", "high", "mean", "deviation"):
            self.register_buffer(name, torch.zeros(bands))
        if self.reduced:
            self.register_buffer("matrix", torch.zeros(channels, bands))

    @property
    def channels(self) -> int:
        """Number of channels that come out."""
        return self.matrix.shape[0] if self.reduced else self.low.shape[0]

    @classmethod
    def fit(cls, pixels: np.ndarray, components: int) -> BandScaler:
        """Statistics of a sample of valid pixels.

        Args:
            pixels: (P, C) values of valid pixels, any numeric type, P at least 1.
            components: most channels to make of the bands.
        """
        values = pixels.astype(np.float64)
        low, high = np.percentile(values, CLIP, axis=0)
        values = np.clip(values, low, high)
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        deviation = np.where(deviation > 0, deviation, 1.0)
        matrix = None
        if values.shape[1] > components:
            matrix = _principal_components((values - mean) / deviation, components)
        scaler = cls(values.shape[1], values.shape[1] if matrix is None else len(matrix))
        for name, value in (("low", low), ("high", high), ("mean", mean), ("deviation", deviation)):
            getattr(scaler, name).copy_(torch.from_numpy(value))
        if matrix is not None:
            scaler.matrix.copy_(torch.from_numpy(matrix))
        return scaler

    def forward(self, raster: Tensor, valid: Tensor) -> Tensor:
        """Raster values (B, C, H, W) and valid pixels (B, 1, H, W) to channels (B, K, H, W), 0 where invalid."""
        columns = (slice(None), None, None)
        scaled = torch.clamp(raster, self.low[columns], self.high[columns])
        scaled = (scaled - self.mean[columns]) / self.deviation[columns]
        if self.reduced:
            scaled = torch.einsum("kc,bchw->bkhw", self.matrix, scaled)
        return torch.where(valid, scaled, torch.zeros((), dtype=scaled.dtype, device=scaled.device))


def _principal_components(standardised: np.ndarray, components: int) -> np.ndarray:
    """Rows that turn standardised bands (P, C) into components of about unit deviation (K, C)."""
    covariance = standardised.T @ standardised / len(standardised)
    variances, vectors = np.linalg.eigh(covariance)
    variances, vectors = np.clip(variances[::-1], 0, None), vectors[:, ::-1]
    share = np.cumsum(variances) / max(variances.sum(), np.finfo(float).tiny)
    kept = min(components, int(np.searchsorted(share, VARIANCE)) + 1)
    deviations = np.sqrt(variances[:kept])
    # an eigenvector's sign is arbitrary: fix it, so that the same data give the same model everywhere
    signs = np.sign(vectors[np.abs(vectors[:, :kept]).argmax(axis=0), np.arange(kept)])
    rows: np.ndarray = (vectors[:, :kept] * signs / np.maximum(deviations, FLOOR * deviations[0])).T
    return rows
