"""From the bands of one raster to the channels of the network: clip, standardise, spread evenly, reduce."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .normal_scores import NormalScores

CLIP = (0.1, 99.9)  # percentiles of the valid pixels
VARIANCE = 0.999  # share kept by the principal components
FLOOR = 0.5  # least deviation of a component, as a share of the first one's: noise is not blown up
LARGEST = 1e37  # values beyond are cut to it, so that float32 holds them and their differences
_SMALLEST = 1e-30  # a deviation below it is none: float32 could not divide by it
_FINE = 1e-3  # of the deviation: steps between float32 numbers that are no loss
_COLUMNS = (slice(None), None, None)  # of a vector of bands, to be spread over (B, C, H, W)
_ENOUGH = 0.1  # share of the sample that has to count for statistics of it alone
_RANKED = 20_000  # pixels of the sample that quantiles are taken from, at most
_LEAST_SCORE_DEVIATION = 1e-3  # of normal scores: a band that varies less is constant


class BandScaler(nn.Module):
    """Clips each band to its usual range, standardises it, and makes channels of the bands' normal scores: as they are,
    or the principal components of many.

    Everything learned here is a buffer, so it travels in the model file. Where float32 is too coarse for a band (small
    variation on a large offset), its values are counted from a `centre` that float32 holds exactly: see to_float(). It
    is 0 for all other bands. The limits, the mean and the rasters given to forward() are less the centre.

    Args:
        bands: number of bands C of the raster.
        channels: number of channels K it becomes (K = C without principal components).
    """

    centre: Tensor
    low: Tensor
    high: Tensor
    mean: Tensor
    deviation: Tensor
    score_mean: Tensor
    score_deviation: Tensor
    matrix: Tensor

    def __init__(self, bands: int, channels: int) -> None:
        super().__init__()
        self.reduced = channels != bands
        for name in ("centre", "low", "high", "mean", "deviation", "score_mean", "score_deviation"):
            self.register_buffer(name, torch.zeros(bands))
        if self.reduced:
            self.register_buffer("matrix", torch.zeros(channels, bands))
        self.scores = NormalScores(bands)

    @property
    def channels(self) -> int:
        """Number of channels that come out."""
        return self.matrix.shape[0] if self.reduced else self.low.shape[0]

    @classmethod
    def fit(cls, pixels: np.ndarray, components: int, measured: np.ndarray | None = None) -> BandScaler:
        """Statistics of a sample of valid pixels.

        Args:
            pixels: (P, C) values of valid pixels, any numeric type, P at least 1.
            components: most channels to make of the bands.
            measured: (P,) bool, the pixels that count; fewer than a tenth of them are too few, and all count then.
        """
        if measured is not None and measured.mean() >= _ENOUGH:
            pixels = pixels[measured]
        values = np.clip(pixels.astype(np.float64), -LARGEST, LARGEST)
        low, high = np.percentile(values, CLIP, axis=0)
        values = np.clip(values, low, high)
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        deviation = np.where(deviation > _SMALLEST, deviation, 1.0)
        step = np.spacing(np.maximum(np.abs(low), np.abs(high)).astype(np.float32))
        coarse = (step > _FINE * deviation) & (not _exact(pixels.dtype))
        centre = np.where(coarse, mean, 0.0).astype(np.float32).astype(np.float64)
        bands = (values - mean) / deviation
        scores = NormalScores(values.shape[1])
        scores.fit(bands[:: -(-len(bands) // _RANKED)])
        ranked = scores(torch.from_numpy(bands.T[None, :, :, None].astype(np.float32)))[0, :, :, 0].double().numpy().T
        score_mean, score_deviation = ranked.mean(axis=0), ranked.std(axis=0)
        score_deviation = np.where(score_deviation > _LEAST_SCORE_DEVIATION, score_deviation, 1.0)
        matrix = None
        if values.shape[1] > components:
            matrix = _principal_components((ranked - score_mean) / score_deviation, components)
        scaler = cls(values.shape[1], values.shape[1] if matrix is None else len(matrix))
        scaler.scores = scores
        moved = {"centre": centre, "low": low - centre, "high": high - centre, "mean": mean - centre}
        spread = {"deviation": deviation, "score_mean": score_mean, "score_deviation": score_deviation}
        for name, value in {**moved, **spread}.items():
            getattr(scaler, name).copy_(torch.from_numpy(value))
        if matrix is not None:
            scaler.matrix.copy_(torch.from_numpy(matrix))
        return scaler

    def ranges(self) -> tuple[tuple[float, float], ...]:
        """Lowest and highest value of each band that is not cut."""
        centre, low, high = (each.cpu().double() for each in (self.centre, self.low, self.high))
        return tuple(zip((centre + low).tolist(), (centre + high).tolist(), strict=True))

    def forward(self, raster: Tensor, valid: Tensor) -> Tensor:
        """Raster values (B, C, H, W) as to_float() gives them, and valid pixels (B, 1, H, W), to channels (B, K, H, W).

        They are 0 where invalid.
        """
        return self.channels_of(self.standardise(raster, valid), valid)

    def standardise(self, raster: Tensor, valid: Tensor) -> Tensor:
        """The same values to clipped bands (B, C, H, W) of mean 0 and deviation 1; 0 where invalid."""
        bands = torch.clamp(raster, self.low[_COLUMNS], self.high[_COLUMNS])
        return _where(valid, (bands - self.mean[_COLUMNS]) / self.deviation[_COLUMNS])

    def channels_of(self, bands: Tensor, valid: Tensor) -> Tensor:
        """Standardised bands (B, C, H, W) to channels (B, K, H, W)."""
        scaled = (self.scores(bands) - self.score_mean[_COLUMNS]) / self.score_deviation[_COLUMNS]
        if self.reduced:
            scaled = torch.einsum("kc,bchw->bkhw", self.matrix, scaled)
        return _where(valid, scaled)


def _where(valid: Tensor, values: Tensor) -> Tensor:
    return torch.where(valid, values, torch.zeros((), dtype=values.dtype, device=values.device))


def to_float(values: np.ndarray, centre: np.ndarray) -> Tensor:
    """Values (..., C, H, W) of any numeric type less a centre (C,) as float32.

    What float32 would round is counted from the centre in double precision first.
    """
    if _exact(values.dtype) and not centre.any():
        return torch.from_numpy(values.astype(np.float32))
    moved = values.astype(np.float64) - centre[:, None, None]
    return torch.from_numpy(np.clip(moved, -LARGEST, LARGEST).astype(np.float32))


def _exact(dtype: np.dtype) -> bool:
    """Whether float32 holds every number of a type."""
    return np.can_cast(dtype, np.float32)


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
