"""Pixels a second and the time that is left: none too early, then those of a running mean."""

from __future__ import annotations

import pytest

from bdgf.bdgf_qgis.engine.pace import BlockPace, BlockTimer


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_figures_come_after_some_seconds_of_computing_and_are_means() -> None:
    clock = Clock()
    timer = BlockTimer(5, 1, (1000, 1000, 500, 1000), clock)
    clock.seconds = 60.0  # loading torch counts for nothing
    timer.computing("CPU, 2 threads")
    clock.seconds += 4.9
    assert timer.pace(0.9, 1000) == BlockPace(2, 5, None, None, "CPU, 2 threads")
    timer.done(1000)
    clock.seconds = 70.0
    assert timer.pace(0.0, 1000) == BlockPace(3, 5, 100.0, 25.0, "CPU, 2 threads")
    clock.seconds = 75.0
    halfway = timer.pace(0.5, 1000)
    assert halfway.pixels_per_second == 100.0 and halfway.seconds_left == 20.0
    timer.done(1000)
    timer.skipped(1, 500)
    clock.seconds = 80.0
    assert timer.pace(0.0, 1000) == BlockPace(5, 5, 100.0, 10.0, "CPU, 2 threads")
    assert timer.fraction(0.0) == pytest.approx(0.8) and timer.fraction(1.0) == 1.0


def test_without_areas_there_is_no_rate() -> None:
    clock = Clock()
    timer = BlockTimer(2, 0, (), clock)
    timer.computing("")
    clock.seconds = 100.0
    timer.done(50)
    assert timer.pace(0.5, 50) == BlockPace(2, 2)
