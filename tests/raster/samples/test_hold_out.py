"""Units of near polygons, and which of them are held out."""

from __future__ import annotations

import numpy as np
import pytest

from bdgf.bdgf_qgis.raster.grid import Grid
from bdgf.bdgf_qgis.raster.samples.hold_out import held_out_units, least_distance, units_of
from bdgf.bdgf_qgis.raster.samples.shapes import Shape, shapes_of
from bdgf.tests.raster.helpers import box

PLAIN = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
GRID = Grid(200, 200, PLAIN, "")


def shapes(*places: tuple[float, float], side: float = 3) -> tuple[Shape, ...]:
    boxes = [box(fid, 1, column, row, side, side, PLAIN) for fid, (column, row) in enumerate(places)]
    return shapes_of(boxes, "", GRID).shapes


@pytest.mark.parametrize(("gap", "together"), [(0, True), (1.5, True), (2.0, True), (2.001, False), (5, False)])
@pytest.mark.parametrize("diagonal", [False, True])
def test_polygons_within_two_pixels_are_one_unit(gap: float, together: bool, diagonal: bool) -> None:
    step = 3 + gap / np.sqrt(2) if diagonal else 3 + gap
    found = units_of(shapes((10, 10), (10 + step, 10 + (step if diagonal else 0))), [1, 1])
    assert (found[0] == found[1]) == together


def test_nearness_goes_on_from_polygon_to_polygon_but_not_across_classes() -> None:
    places = shapes((0, 0), (20, 0), (5, 0), (10, 0), (15, 0), (40, 0), (40, 4))
    assert units_of(places, [1] * 7).tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert units_of(places, [1, 1, 1, 2, 1, 1, 2]).tolist() == [0, 1, 0, 2, 1, 3, 4]


def test_units_are_those_of_all_pairs() -> None:
    random = np.random.default_rng(3)
    places = shapes(*random.uniform(0, 60, (60, 2)).tolist(), side=2)
    classes = random.integers(0, 2, 60).tolist()
    near = np.array([[a.geometry.Distance(b.geometry) <= 2 for b in places] for a in places])
    near &= np.equal.outer(classes, classes)
    for _ in range(60):
        near = near @ near
    units = units_of(places, classes)
    assert (np.equal.outer(units, units) == near).all()


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.95])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 10, 33])
def test_a_class_holds_out_its_share(count: int, share: float) -> None:
    units = np.arange(count)
    held = held_out_units(units, np.zeros(count, int), share, 1)
    wanted = min(max(1, round(count * share)), count - 1) if count >= 3 else 0
    assert len(held) == wanted and set(held) <= set(units)


def test_no_share_holds_out_nothing() -> None:
    assert len(held_out_units(np.arange(9), np.zeros(9, int), 0, 1)) == 0


def test_the_seed_decides_and_classes_do_not_disturb_each_other() -> None:
    units, classes = np.arange(40), np.repeat([0, 1], 20)
    first = held_out_units(units, classes, 0.3, 5)
    assert (first == held_out_units(units, classes, 0.3, 5)).all()
    assert any((first != held_out_units(units, classes, 0.3, seed)).any() for seed in range(6, 10))
    assert set(held_out_units(units[:20], classes[:20], 0.3, 5)) == {each for each in first if each < 20}


def test_several_polygons_of_a_unit_count_once() -> None:
    held = held_out_units(np.array([0, 0, 0, 1, 1, 2]), np.zeros(6, int), 0.34, 0)
    assert len(held) == 1


@pytest.mark.parametrize(("wide", "high"), [(1.0, 1.0), (10.0, 10.0), (3.0, 7.0)])
def test_the_least_distance_is_that_of_all_pairs(wide: float, high: float) -> None:
    random = np.random.default_rng(4)
    grid = Grid(200, 200, (0.0, wide, 0.0, 0.0, 0.0, -high), "")
    transform = (0.0, wide, 0.0, 0.0, 0.0, -high)
    for _ in range(5):
        boxes = [box(fid, 1, *place, 2, 5, transform) for fid, place in enumerate(random.uniform(0, 150, (30, 2)))]
        found = shapes_of(boxes, "", grid).shapes
        distance = least_distance(found[:10], found[10:], grid)
        pairs = [(a.geometry.Distance(b.geometry), a, b) for a in found[:10] for b in found[10:]]
        least = min(pairs, key=lambda pair: pair[0])
        assert distance is not None and distance.pixels == pytest.approx(least[0])
        gap = np.maximum(np.maximum(np.array(least[1].bounds[:2]) - least[2].bounds[2:], 0),
                         np.maximum(np.array(least[2].bounds[:2]) - least[1].bounds[2:], 0))  # fmt: skip
        assert distance.map_units == pytest.approx(float(np.hypot(*(gap * [wide, high]))))
    assert least_distance(found, [], grid) is None
