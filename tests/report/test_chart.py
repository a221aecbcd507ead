"""Line charts as SVG."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest

from bdgf.bdgf_qgis.report.chart import Line, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def chart(*lines: Line) -> ElementTree.Element:
    return ElementTree.fromstring(line_chart("Loss <of> training", lines, "step"))


def points(drawn: ElementTree.Element) -> list[list[tuple[float, float]]]:
    texts = [each.get("points", "") for each in drawn.iter(f"{SVG}polyline")]
    return [[tuple(map(float, pair.split(","))) for pair in text.split()] for text in texts]  # type: ignore[misc]


def test_lines_lie_inside_the_picture_and_the_right_way_up():
    drawn = chart(Line("a", "#000000", (0, 10, 20), (1.0, 0.5, 0.25)), Line("b & c", "#ff0000", (0, 20), (0.1, 3.0)))
    first, second = points(drawn)
    width, height = float(drawn.get("width", 0)), float(drawn.get("height", 0))
    assert all(0 <= x <= width and 0 <= y <= height for x, y in first + second)
    assert first[0][1] < first[-1][1], "falling values go down"
    assert first[-1][0] == second[-1][0]
    said = ["".join(each.itertext()) for each in drawn.iter(f"{SVG}text")]
    assert {"Loss <of> training", "a", "b & c", "step", "0", "20"} <= set(said)


@pytest.mark.parametrize("values", [(2.0, 2.0), (0.0, 0.0), (-1e-9, 1e9), (1e-7, 3e-7), (-5.0, -4.0)])
def test_any_range_has_an_axis(values):
    drawn = chart(Line("a", "#000000", (0, 1), values))
    labels = [float(each.text or "") for each in drawn.iter(f"{SVG}text") if each.get("text-anchor") == "end"][:-1]
    assert 2 <= len(labels) <= 8 and labels == sorted(labels)
    slack = 1e-5 * max(map(abs, values))
    assert labels[0] <= values[0] + slack and values[-1] <= labels[-1] + slack


def test_what_is_not_finite_is_left_out():
    assert line_chart("t", [Line("a", "#000000", (0, 1), (math.nan, math.inf))]) == ""
    assert line_chart("t", []) == ""
    drawn = chart(Line("a", "#000000", (0, 1, 2), (1.0, math.nan, 2.0)))
    assert [len(each) for each in points(drawn)] == [2]


def test_one_point_is_a_dot_and_many_are_thinned():
    assert len(list(chart(Line("a", "#000000", (5,), (1.0,))).iter(f"{SVG}circle"))) == 1
    long = chart(Line("a", "#000000", range(5000), [step % 7 for step in range(5000)]))
    assert len(points(long)[0]) <= 300
