"""Regions that grow: against the plain definition, tolerance by tolerance."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.segmentation import flood

from bdgf.model.regions.growing import grow_region


def distances(seed: tuple[int, int]) -> np.ndarray:
    values = np.random.default_rng(3).normal(size=(40, 60)).cumsum(axis=1).astype(np.float32) / 4
    return np.abs(values - values[seed])


@pytest.mark.parametrize("seed", [(0, 0), (20, 33), (39, 59)])
def test_each_tolerance_gives_what_flood_gives(seed: tuple[int, int]) -> None:
    distance = distances(seed)
    found = grow_region(distance, seed, distance.size)
    whole = np.full(distance.shape, np.inf)
    height, width = found.values.shape
    whole[found.row : found.row + height, found.column : found.column + width] = found.values
    steps = np.unique(found.values[np.isfinite(found.values)])
    assert len(steps) > 10
    for tolerance in steps[::7]:
        expected = flood(np.where(distance <= tolerance * 1.00001, 1, 0), seed, connectivity=1)
        np.testing.assert_array_equal(whole <= tolerance, expected)


def test_the_rectangle_holds_no_more_than_the_region() -> None:
    distance = np.full((30, 30), 5.0, np.float32)
    distance[10:14, 3:9] = 0.1
    distance[12, 5] = 0
    found = grow_region(distance, (12, 5), 24)
    assert (found.row, found.column, found.values.shape) == (10, 3, (4, 6))
    assert found.values.max() < 0.11


def test_no_region_is_larger_than_the_largest() -> None:
    distance = distances((20, 33))
    for largest in (1, 7, 300):
        found = grow_region(distance, (20, 33), largest)
        assert 1 <= np.isfinite(found.values).sum() <= largest


def test_of_equal_pixels_those_around_the_place_are_taken() -> None:
    found = grow_region(np.zeros((200, 200), np.float32), (100, 100), 500)
    assert 400 < np.isfinite(found.values).sum() <= 501
    assert max(found.values.shape) < 30 and found.row < 100 < found.row + found.values.shape[0]


def test_pixels_without_data_are_walls() -> None:
    distance = np.zeros((9, 9), np.float32)
    distance[:, 4] = np.inf
    found = grow_region(distance, (2, 2), 81)
    assert found.values.shape == (9, 4)
