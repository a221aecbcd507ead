"""Hold-outs, few labels, calibration and parts, on shapes whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.model.shared.settings import PRESETS
from bdgf.tests.benchmarks.accuracy.draws import hold_out, scarce
from bdgf.tests.benchmarks.accuracy.figures import calibration_error
from bdgf.tests.benchmarks.accuracy.parts import PARTS, with_part
from bdgf.tests.benchmarks.accuracy.scene import Samples
from bdgf.tests.raster.helpers import box, make_raster, wkt


@pytest.fixture
def stack(tmp_path):
    array = np.random.default_rng(0).integers(1, 200, (2, 60, 60)).astype(np.uint8)
    with open_stack([make_raster(tmp_path / "image.tif", array)]) as opened:
        yield opened


@pytest.fixture
def samples():
    """Class 1: five squares of 4 pixels a side; class 2: one of 20 x 5 pixels."""
    squares = [box(number, 1, 10 * number, 5, 4, 4) for number in range(5)]
    return Samples((*squares, box(9, 2, 10, 30, 20, 5)), wkt(32633))


def pixels(stack, samples):
    labels = rasterise_labels(stack, samples.polygons, samples.crs_wkt, holdout=0.0)
    return {(row, column): position for row, column, position, _ in labels.points.tolist()}


def test_a_hold_out_takes_polygons_and_cuts_an_only_one(stack, samples):
    training, measured = hold_out(samples, 0)
    assert [sum(each.value == 1 for each in some.polygons) for some in (training, measured)] == [3, 2]
    kept, given = pixels(stack, training), pixels(stack, measured)
    assert not kept.keys() & given.keys()
    assert {**kept, **given} == pixels(stack, samples)
    only = [column for (_, column), position in given.items() if position == 1]
    assert len(only) == 40 and max(only) - min(only) == 7, "two fifths at one end"
    draws = {tuple(each.fid for each in hold_out(samples, draw)[1].polygons) for draw in range(20)}
    assert len(draws) > 3 and hold_out(samples, 7) == hold_out(samples, 7)
    ends = {min(column for _, column in pixels(stack, hold_out(samples, d)[1]) if column) for d in range(20)}
    assert len(ends) > 1


def test_few_pixels_are_pixels_of_the_polygons(stack, samples):
    whole = pixels(stack, samples)
    for count in (5, 90):
        few = pixels(stack, scarce(samples, f"{count}px", 1, stack))
        assert few.items() <= whole.items()
        assert np.bincount(list(few.values())).tolist() == [min(count, 80), min(count, 100)]
    assert pixels(stack, scarce(samples, "5px", 1, stack)) == pixels(stack, scarce(samples, "5px", 1, stack))
    assert pixels(stack, scarce(samples, "5px", 1, stack)) != pixels(stack, scarce(samples, "5px", 2, stack))


def test_few_polygons_are_whole_ones(stack, samples):
    few = scarce(samples, "2poly", 0, stack)
    assert [each.value for each in few.polygons] == [1, 1, 2]
    assert set(few.polygons) <= set(samples.polygons)
    assert scarce(samples, "", 0, stack) is samples
    with pytest.raises(ValueError, match="10px"):
        scarce(samples, "0px", 0, stack)


def test_calibration_error_is_the_mean_distance_of_confidence_and_accuracy():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.5, 0.5, 1.0, 0.0])
    correct = np.array([1, 1, 1, 0, 1, 0, 1, 0], bool)
    # bins: four at 0.95 with the 1.0 (five, four right), two at 0.5, one at 0
    assert calibration_error(confidence, correct) == pytest.approx((abs(4.8 - 4) + 0 + 0) / 8)


@pytest.mark.parametrize("part", [each for each in PARTS if each != "all"])
def test_a_part_changes_the_settings(part):
    assert with_part(PRESETS["quick"], part) != PRESETS["quick"]


def test_settings_are_named_by_group_and_field():
    changed = with_part(PRESETS["quick"], "training.balance=1+branches.timesteps=50,200+no-masking+stride=32")
    assert (changed.training.balance, changed.branches.timesteps) == (1.0, (50, 200))
    assert (changed.diffusion.masking, changed.stride) == ("none", 32)
    with pytest.raises(ValueError, match=r"training\.nothing"):
        with_part(PRESETS["quick"], "training.nothing=1")
