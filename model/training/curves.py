"""What training logs: named series over optimiser steps, for the report."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..shared.events import Curve


class CurveLog:
    """Collects values by name."""

    def __init__(self) -> None:
        self._points: dict[str, list[tuple[float, float]]] = {}

    def add(self, name: str, step: int, value: float) -> None:
        """One more point of a series; a value that is no number is left out."""
        if not math.isfinite(value):
            return
        self._points.setdefault(name, []).append((float(step), float(value)))

    def has(self, name: str) -> bool:
        """Whether a series has begun."""
        return name in self._points

    def restore(self, curves: Iterable[Curve]) -> None:
        """Takes up what another log held."""
        for each in curves:
            self._points[each.name] = list(zip(each.steps, each.values, strict=True))

    def curves(self) -> tuple[Curve, ...]:
        """All series in the order they began."""
        return tuple(
            Curve(name, tuple(step for step, _ in points), tuple(value for _, value in points))
            for name, points in self._points.items()
        )
