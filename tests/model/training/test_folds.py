"""Folds keep what is alike together, and hold every class."""

from __future__ import annotations

import numpy as np

from bdgf.model.training.folds import folds_of, left_out_pixels, parts_of


def points_of(classes: list[int], polygons: list[int]) -> np.ndarray:
    """Pixels in one row, (P, 4)."""
    columns = np.arange(len(classes))
    return np.column_stack([columns * 0, columns, classes, polygons])


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_folds_keep_polygons_whole_and_hold_every_class():
    classes, polygons = np.repeat([0, 0, 0, 1, 1, 2], 6), np.repeat([7, 8, 9, 3, 4, 5], 6)
    folds, dealt = folds_of(points_of(classes, polygons), 3, random())
    by_polygon = [set(folds[polygons == polygon]) for polygon in (7, 8, 9)]
    assert all(len(numbers) == 1 for numbers in by_polygon) and set().union(*by_polygon) == {0, 1, 2}
    assert len(set(folds[classes == 1])) == 2
    halves = folds[classes == 2]
    assert len(set(halves[:3])) == len(set(halves[3:])) == 1 and halves[0] != halves[3], "an only polygon is halved"
    assert dealt == 6, "halves of one polygon prove no more than one polygon"


def test_a_polygon_that_holds_pixels_of_two_classes_is_a_part_of_each():
    parts = parts_of(points_of([0] * 5 + [1] * 5 + [0] * 5 + [1] * 5, [1] * 10 + [2] * 10), 3)
    assert len(np.unique(parts)) == 4


def test_single_pixels_go_together_with_their_neighbours():
    classes = [0] * 9 + [1] * 9
    parts = parts_of(points_of(classes, list(range(18))), 3)
    assert len(np.unique(parts)) == 6 and not set(parts[:9]) & set(parts[9:]), "three blocks a class"
    assert all(np.ptp(np.nonzero(parts == part)[0]) + 1 == (parts == part).sum() for part in np.unique(parts)), "blocks"


def test_of_every_class_whole_polygons_are_left_out():
    polygons = np.repeat(np.arange(19), 4)
    classes = np.repeat([0] * 8 + [1] * 8 + [2] * 3, 4)
    left_out, parts = left_out_pixels(points_of(list(classes), list(polygons)), 0.25, random())
    assert [len(np.unique(polygons[left_out & (classes == position)])) for position in range(3)] == [2, 2, 1]
    assert left_out.sum() == 20 and parts == 5
    assert not left_out_pixels(points_of(list(classes), list(polygons)), 0.0, random())[0].any()


def test_of_an_only_polygon_one_half_is_left_out_and_of_a_single_pixel_nothing():
    left_out, parts = left_out_pixels(points_of([0] * 8 + [1], [0] * 8 + [1]), 0.25, random())
    assert left_out[:4].all() != left_out[4:8].all() and left_out.sum() == 4
    assert not left_out[8] and parts == 1
