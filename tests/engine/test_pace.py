"""Pixels a second and the time that is left: none too early, then those of a running mean."""

from __future__ import annotations

import pytest

from bdgf.bdgf_qgis.engine.pace import Pace, PaceMeter


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_figures_come_after_some_seconds_of_computing_and_are_means() -> None:
    clock = Clock()
    meter = PaceMeter(5, 1, (1000, 1000, 500, 1000), clock)
    clock.seconds = 60.0  # loading torch counts for nothing
    meter.computing("CPU, 2 threads")
    clock.seconds += 4.9
    assert meter.pace(0.9, 1000) == Pace(2, 5, None, None, "CPU, 2 threads")
    meter.done(1000)
    clock.seconds = 70.0
    assert meter.pace(0.0, 1000) == Pace(3, 5, 100.0, 25.0, "CPU, 2 threads")
    clock.seconds = 75.0
    halfway = meter.pace(0.5, 1000)
    assert halfway.rate == 100.0 and halfway.left == 20.0
    meter.done(1000)
    meter.skipped(1, 500)
    clock.seconds = 80.0
    assert meter.pace(0.0, 1000) == Pace(5, 5, 100.0, 10.0, "CPU, 2 threads")
    assert meter.share(0.0) == pytest.approx(0.8) and meter.share(1.0) == 1.0


def test_without_areas_there_is_no_rate() -> None:
    clock = Clock()
    meter = PaceMeter(2, 0, (), clock)
    meter.computing("")
    clock.seconds = 100.0
    meter.done(50)
    assert meter.pace(0.5, 50) == Pace(2, 2)
