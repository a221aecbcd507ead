from __future__ import annotations

import numpy as np
import pytest
import torch

from bdgf.model.data.bands import BandScaler, to_float

RANDOM = np.random.default_rng(5)


def image(pixels: np.ndarray) -> torch.Tensor:
    return torch.tensor(pixels.T[None, :, :, None], dtype=torch.float32)


def test_bands_are_clipped_and_standardised():
    pixels = RANDOM.normal([10, -5], [3, 0.5], (20_000, 2))
    pixels[0] = 1e9  # an outlier
    scaler = BandScaler.fit(pixels, 32)
    every = torch.ones(1, 1, len(pixels), 1, dtype=torch.bool)
    for scaled in (scaler.standardise(image(pixels), every), scaler(image(pixels), every)):
        values = scaled[0, :, :, 0]
        assert torch.allclose(values.mean(dim=1), torch.zeros(2), atol=0.01)
        assert torch.allclose(values.std(dim=1), torch.ones(2), atol=0.01)
        assert values.abs().max() < 4


def test_channels_hang_on_the_order_of_a_bands_values_alone():
    pixels = RANDOM.normal(size=(20_000, 2))
    every = torch.ones(1, 1, len(pixels), 1, dtype=torch.bool)
    plain, skewed = (BandScaler.fit(values, 32)(image(values), every) for values in (pixels, np.exp(2 * pixels)))
    assert (plain - skewed).abs().mean() < 0.02


def test_a_constant_band_becomes_zero_and_invalid_pixels_too():
    pixels = np.column_stack([np.full(100, 7), np.arange(100)])
    scaler = BandScaler.fit(pixels, 32)
    valid = torch.ones(1, 1, 100, 1, dtype=torch.bool)
    valid[0, 0, 50:] = False
    scaled = scaler(image(pixels), valid)
    assert torch.isfinite(scaled).all()
    assert (scaled[0, 0] == 0).all() and (scaled[0, 1, 50:] == 0).all() and scaled[0, 1, :50].std() > 0


def test_many_bands_become_few_components_without_blown_up_noise():
    sources = RANDOM.normal(size=(5_000, 3)) * [10, 3, 1]
    pixels = sources @ RANDOM.normal(size=(3, 60)) + RANDOM.normal(0, 0.01, (5_000, 60))
    scaler = BandScaler.fit(pixels, 32)
    assert 3 <= scaler.channels <= 4, "normal scores bend the mixture of three a little"
    scaled = scaler(image(pixels), torch.ones(1, 1, len(pixels), 1, dtype=torch.bool))[0, :, :, 0].numpy()
    deviations = scaled.std(axis=1)
    assert deviations.max() < 1.1 and abs(deviations[0] - 1) < 0.05
    correlation = np.corrcoef(scaled)
    assert np.abs(correlation - np.eye(scaler.channels)).max() < 0.05


def test_components_are_capped_and_repeatable():
    pixels = RANDOM.normal(size=(2_000, 100))
    first, second = BandScaler.fit(pixels, 32), BandScaler.fit(pixels.copy(), 32)
    assert first.channels == 32
    assert torch.equal(first.matrix, second.matrix)


def test_integers_of_any_type_are_taken():
    pixels = RANDOM.integers(0, 65535, (1000, 2)).astype(np.uint16)
    scaler = BandScaler.fit(pixels, 32)
    assert scaler.low.min() >= 0 and scaler.high.max() <= 65535


@pytest.mark.parametrize(("offset", "variation"), [(1e9, 3.0), (1.6e9, 2.0), (-4e12, 1000.0)])
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_a_small_variation_on_a_large_offset_is_kept(offset: float, variation: float, dtype: str):
    waves = np.sin(np.arange(5000) / 20)
    pixels = np.round(offset + 100 * variation * waves).astype(dtype)[:, None]
    scaler = BandScaler.fit(pixels, 32)
    centre = scaler.centre.double().numpy()
    raster = to_float(pixels.T[:, :, None], centre)[None]
    scaled = scaler.standardise(raster, torch.ones(1, 1, len(pixels), 1, dtype=torch.bool))[0, 0, :, 0].numpy()
    assert np.abs(scaled - waves / waves.std()).max() < 0.02
    ((low, high),) = scaler.ranges()
    assert abs(low - pixels.min()) < variation and abs(high - pixels.max()) < variation


def test_numbers_beyond_float32_give_finite_channels():
    pixels = np.column_stack([RANDOM.normal(0, 1e300, 3000), RANDOM.normal(0, 1e-300, 3000)])
    pixels[:2, 0] = np.finfo(np.float64).max, np.finfo(np.float64).min
    scaler = BandScaler.fit(pixels, 32)
    raster = to_float(pixels.T[:, :, None], scaler.centre.double().numpy())[None]
    assert torch.isfinite(scaler(raster, torch.ones(1, 1, 3000, 1, dtype=torch.bool))).all()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "float32"])
def test_types_that_float32_holds_are_counted_from_0(dtype: str):
    pixels = RANDOM.integers(100, 104, (2000, 3)).astype(dtype)
    scaler = BandScaler.fit(pixels, 32)
    assert not scaler.centre.any()
    assert torch.equal(
        to_float(pixels.T[:, :, None], np.zeros(3)), torch.from_numpy(pixels.astype(np.float32)).T[:, :, None]
    )
