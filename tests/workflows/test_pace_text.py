"""Pace in words."""

from __future__ import annotations

import pytest

from bdgf.bdgf_qgis.engine.pace import BlockPace, StepPace
from bdgf.bdgf_qgis.workflows.pace_text import pace_text, step_text

CPU = "CPU, 2 threads"


@pytest.mark.parametrize(
    ("pace", "text"),
    [
        (BlockPace(12, 80, 31_234.5, 178.0, CPU), "block 12 of 80 · 31,000 px/s on CPU, 2 threads · 3 min left"),
        (BlockPace(1, 80, None, None, CPU), "block 1 of 80 · on CPU, 2 threads · estimating the time"),
        (BlockPace(1, 80), "block 1 of 80 · estimating the time"),
        (BlockPace(80, 80, 7.4, 12.0, "cuda:0"), "block 80 of 80 · 7 px/s on cuda:0 · 10 s left"),
        (BlockPace(2, 9, 1_260_000.0, 7_790.0), "block 2 of 9 · 1,300,000 px/s · 2 h 10 min left"),
        (BlockPace(2, 9, 99.9, 3_599.0), "block 2 of 9 · 100 px/s · 1 h 0 min left"),
        (BlockPace(9, 9, 99.9, 0.0), "block 9 of 9 · 100 px/s · 5 s left"),
        (BlockPace(9, 9, 99.9, 57.0), "block 9 of 9 · 100 px/s · 1 min left"),
    ],
)
def test_pace_in_words(pace: BlockPace, text: str) -> None:
    assert pace_text(pace) == text


@pytest.mark.parametrize(
    ("pace", "text"),
    [
        (StepPace(1, 750, None, True), "step 1 of 750"),
        (StepPace(320, 750, 63.0, True), "step 320 of 750, about 1 min left"),
        (StepPace(740, 750, 4.0, True), "step 740 of 750, about 5 s left"),
        (StepPace(20, 600, 4_000.0, False), "step 20 of 600, about 1 h 7 min left of this part"),
    ],
)
def test_steps_in_words(pace: StepPace, text: str) -> None:
    assert step_text(pace) == text
