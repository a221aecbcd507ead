"""Numbers that stand for 'no data' undeclared, and what looks like them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bdgf.model.data.fill_values import describe, find_fill_values
from bdgf.model.shared.header import read_header
from bdgf.model.training.jobs import train
from bdgf.tests.model.scene import SilentReporter, tiny_settings, train_job

RANDOM = np.random.default_rng(4)
HEIGHTS = RANDOM.gamma(4, 60, 20_000) + 300


def with_corner(values: np.ndarray, fill: float, share: float = 0.05) -> np.ndarray:
    """Pixels (P, 1), the first of them filled, and as many mixed with it as a warp leaves at the corner's edge."""
    result = values.copy()
    count = int(share * len(values))
    result[:count] = fill
    mixed = min(count // 10, 100)
    result[count : count + mixed] += (fill - result[count : count + mixed]) * RANDOM.uniform(0, 1, mixed)
    return result[:, None]


@pytest.mark.parametrize("fill", [-3.4028234663852886e38, 1e10, -32768.0, -9999.0, 65535.0, 1.7e308])
@pytest.mark.parametrize("share", [0.002, 0.05, 0.6])
def test_a_corner_of_one_far_number_is_found(fill: float, share: float):
    pixels = with_corner(HEIGHTS, fill, share)
    fills, measured = find_fill_values(pixels)
    assert [each.value for each in fills] == [fill]
    assert abs(fills[0].share - share) < 0.12 * share
    assert measured.sum() >= (1 - 1.2 * share) * len(pixels)
    assert np.abs(pixels[measured]).max() < 4000


def test_two_numbers_at_both_ends_are_found_in_integers_too():
    values = HEIGHTS.astype(np.int16)
    values[:500], values[500:900] = -32768, 32767
    fills, measured = find_fill_values(values[:, None])
    assert {each.value: round(each.share, 3) for each in fills} == {-32768.0: 0.025, 32767.0: 0.02}
    assert measured.sum() == len(values) - 900


@pytest.mark.parametrize(
    "values",
    [
        np.where(RANDOM.random(20_000) < 0.05, 0.0, HEIGHTS + 2000),  # a sea at exactly 0 below high land
        np.where(RANDOM.random(20_000) < 0.05, 250.0, HEIGHTS),  # a lake
        np.minimum(RANDOM.lognormal(7, 1.2, 20_000), 20_000),  # saturated
        (RANDOM.random(20_000) < 0.02) * 255.0,  # a mask
        RANDOM.choice([1.0, 2.0, 50.0, 200.0], 20_000),  # codes
        np.full(20_000, -9999.0),  # nothing else
        RANDOM.standard_cauchy(20_000),  # heavy tails
    ],
)
def test_what_was_measured_is_not_taken_for_one(values: np.ndarray):
    fills, measured = find_fill_values(values[:, None])
    assert fills == () and measured.all()


def test_the_warning_names_layer_bands_value_and_share():
    pixels = np.column_stack([with_corner(HEIGHTS, -9999)[:, 0], HEIGHTS, with_corner(HEIGHTS, -9999)[:, 0]])
    said = describe("dsm", ("red", "green", "blue"), find_fill_values(pixels)[0])
    assert "'dsm'" in said and "-9999 in 5.0% of the pixels (red, blue)" in said and "NODATA" in said


def test_training_tells_of_it_and_its_statistics_are_those_without(tmp_path: Path):
    """A corner of a third of the scene's first tile; the ranges in the header are what a map is compared with."""
    found = []
    for fill in (None, -32768.0):
        job = train_job(tmp_path / str(fill), tiny_settings())
        if fill is not None:
            tiles = np.load(job.tiles.modalities[0])
            tiles[0, :, :24] = fill
            np.save(job.tiles.modalities[0], tiles)
        reporter = SilentReporter()
        train(job, reporter)
        assert any("-32768" in each and "'raster 0'" in each for each in reporter.notes) == (fill is not None)
        found.append(np.array(read_header(job.output).ranges[0]))
    assert np.abs(found[0] - found[1]).max() < 5
