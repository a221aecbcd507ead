"""Colours of classes that bring none."""

from __future__ import annotations

import itertools
import re

from bdgf.bdgf_qgis.style.palette import colour, free_colour


def distance(one: str, other: str) -> float:
    parts = [(int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return sum((first - last) ** 2 for first, last in parts) ** 0.5


def test_colours_differ():
    colours = [colour(number) for number in range(40)]
    assert all(re.fullmatch("#[0-9a-f]{6}", each) for each in colours)
    assert min(distance(*pair) for pair in itertools.combinations(colours[:12], 2)) > 40
    assert min(distance(*pair) for pair in itertools.combinations(colours, 2)) > 15
    assert len({colour(number) for number in range(100)}) == 100


def test_a_taken_colour_is_not_given_again():
    taken = {colour(0), colour(1)}
    assert free_colour(taken, 0) == colour(2)
    assert free_colour(taken, 5) == colour(5)
