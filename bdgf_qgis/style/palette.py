"""Colours for classes that bring none of their own."""

from __future__ import annotations

import colorsys

# Okabe, M. and Ito, K. (2008), Color Universal Design: told apart with every common kind of colour vision.
_FIRST = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
_GOLDEN = 0.618033988749895  # a turn of the hue by it never comes near an earlier one soon


def colour(number: int) -> str:
    """The colour of class number 0, 1, 2 ... as #rrggbb; no two alike among the first hundred."""
    if number < len(_FIRST):
        return _FIRST[number]
    rest = number - len(_FIRST)
    hue = (0.02 + rest * _GOLDEN) % 1.0
    value = (0.55, 0.8, 0.95)[rest % 3]
    saturation = (0.75, 0.5, 0.9, 0.35)[rest // 3 % 4]
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hsv_to_rgb(hue, saturation, value))


def free_colour(taken: set[str], number: int) -> str:
    """The colour of a class, or the next one that no other class has taken."""
    while colour(number) in taken:
        number += 1
    return colour(number)
