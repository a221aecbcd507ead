"""Pace of a run in words."""

from __future__ import annotations

from ..engine.pace import BlockPace, StepPace
from ..translation import tr


def pace_text(pace: BlockPace) -> str:
    """As 'block 12 of 80 · 31,000 px/s on CPU, 2 threads · 3 min left'."""
    block = tr("block {block} of {count}").format(block=pace.block, count=pace.blocks)
    if pace.pixels_per_second is None or pace.seconds_left is None:
        device = tr("on {device}").format(device=pace.device) if pace.device else ""
        parts = [block, device, tr("estimating the time")]
    else:
        rate = f"{_rounded(pace.pixels_per_second):,}"
        device = tr("{rate} px/s on {device}") if pace.device else tr("{rate} px/s")
        left = tr("{time} left").format(time=_duration(pace.seconds_left))
        parts = [block, device.format(rate=rate, device=pace.device), left]
    return " · ".join(each for each in parts if each)


def step_text(pace: StepPace) -> str:
    """As 'step 320 of 750, about 1 min left'."""
    step = tr("step {step} of {count}").format(step=pace.step, count=pace.steps)
    if pace.seconds_left is None:
        return step
    left = tr("about {time} left") if pace.last else tr("about {time} left of this part")
    return f"{step}, {left.format(time=_duration(pace.seconds_left))}"


def _rounded(rate: float) -> int:
    """Two digits: more are not steady."""
    digits = len(str(int(rate)))
    return round(rate, min(0, 2 - digits)).__int__()


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 55:
        return tr("{count} s").format(count=max(5, 5 * round(seconds / 5)))
    if minutes < 60:
        return tr("{count} min").format(count=minutes)
    return tr("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)
