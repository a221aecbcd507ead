"""Line charts as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .page import colour_or_none, escape

_WIDTH, _HEIGHT = 450, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 30, 34
_ROW = 15  # height of a legend row
_MOST_POINTS = 300
_MOST_ROWS = 24


@dataclass(frozen=True)
class Line:
    """A named series of points."""

    name: str
    colour: str
    steps: Sequence[float]
    values: Sequence[float]


def line_chart(title: str, lines: Sequence[Line], across: str = "") -> str:
    """The chart as <svg>; values that are not finite are left out, '' where nothing is left.

    across  what the horizontal axis counts
    """
    series = [(line, _thinned(line)) for line in lines]
    series = [(line, points) for line, points in series if points]
    if not series:
        return ""
    every = [point for _, points in series for point in points]
    first, last = min(step for step, _ in every), max(step for step, _ in every)
    ticks = _ticks(min(value for _, value in every), max(value for _, value in every))
    low, high = ticks[0], ticks[-1]

    def place(step: float, value: float) -> tuple[float, float]:
        right = (step - first) / (last - first) if last > first else 0.5
        up = (value - low) / (high - low)
        return _LEFT + right * (_WIDTH - _LEFT - _RIGHT), _TOP + (1 - up) * (_HEIGHT - _TOP - _BOTTOM)

    named = series[:_MOST_ROWS] if len(series) > 1 else []
    height = _HEIGHT + _ROW * math.ceil(len(named) / 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        f'<text x="{_LEFT}" y="18" font-size="13" font-weight="bold" fill="#24292f">{escape(title)}</text>',
    ]
    for tick in ticks:
        _, y = place(first, tick)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e8ec"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#57606a">{tick:g}</text>')
    base = _HEIGHT - _BOTTOM
    for step, anchor in ((first, "start"), (last, "end")) if last > first else ():
        x, _ = place(step, low)
        parts.append(f'<text x="{x:.1f}" y="{base + 15}" text-anchor="{anchor}" fill="#57606a">{step:g}</text>')
    middle, name = (_LEFT + _WIDTH - _RIGHT) / 2, across if last > first else f"{across} {first:g}"
    parts.append(f'<text x="{middle}" y="{base + 15}" text-anchor="middle" fill="#57606a">{escape(name)}</text>')
    for line, points in series:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        if len(points) == 1:
            x, y = place(*points[0])
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour_or_none(line.colour)}"/>')
        else:
            parts.append(
                f'<polyline points="{path}" fill="none" stroke="{colour_or_none(line.colour)}" stroke-width="1.6"/>'
            )
    parts += [_legend_row(line, number) for number, (line, _) in enumerate(named)]
    return "".join([*parts, "</svg>"])


def _legend_row(line: Line, number: int) -> str:
    x = _LEFT + number % 2 * (_WIDTH - _LEFT) / 2
    y = _HEIGHT + number // 2 * _ROW - 4
    name = line.name if len(line.name) <= 28 else line.name[:27] + "…"
    return (
        f'<rect x="{x}" y="{y - 8}" width="14" height="8" fill="{colour_or_none(line.colour)}"/>'
        f'<text x="{x + 19}" y="{y}" fill="#24292f">{escape(name)}</text>'
    )


def _thinned(line: Line) -> list[tuple[float, float]]:
    points = [
        (step, value) for step, value in zip(line.steps, line.values) if math.isfinite(step) and math.isfinite(value)
    ]
    stride = math.ceil(len(points) / _MOST_POINTS)
    return points[:: max(1, stride)]


def _ticks(low: float, high: float) -> list[float]:
    """Four to seven round values that hold both ends between them."""
    if high <= low:
        low, high = low - (abs(low) * 0.1 or 0.5), high + (abs(high) * 0.1 or 0.5)
    rough = (high - low) / 4
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * scale for factor in (1, 2, 2.5, 5, 10) if factor * scale >= rough * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]
