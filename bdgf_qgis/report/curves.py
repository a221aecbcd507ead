"""The curves that training logs, gathered into charts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...model.shared.events import Curve
from ...model.shared.infos import ClassInfo
from ..style.palette import colour
from ..translation import tr
from .chart import Line, line_chart

_NUMBERED = re.compile(r"(.+) (\d+)$")


def charts(curves: Sequence[Curve], modalities: Sequence[str], classes: Sequence[ClassInfo]) -> list[str]:
    """One <svg> a kind of curve: 'skill 1', 'skill 2' share one; 'cnn accuracy', 'mamba accuracy' share one.

    A number in a name, from 1, is that of a modality or, for class shares, of a class.
    """
    groups: dict[str, list[Line]] = {}
    for curve in curves:
        kind, name, tint = _place(curve.name, modalities, classes)
        lines = groups.setdefault(kind, [])
        lines.append(Line(name, tint or _dark(len(lines)), curve.steps, curve.values))
    drawn = [line_chart(_title(kind), lines, tr("step")) for kind, lines in groups.items()]
    return [each for each in drawn if each]


def _place(name: str, modalities: Sequence[str], classes: Sequence[ClassInfo]) -> tuple[str, str, str]:
    numbered = _NUMBERED.match(name)
    if numbered:
        kind, number = numbered.group(1), int(numbered.group(2)) - 1
        if kind.startswith("class") and number < len(classes):
            return kind, classes[number].name, classes[number].colour
        return kind, modalities[number] if number < len(modalities) else str(number + 1), ""
    first, _, rest = name.partition(" ")
    return (rest, first, "") if rest == "accuracy" else (name, name, "")


def _dark(number: int) -> str:
    """A line's colour: the palette, less its yellow, which is hard to see as a line."""
    return ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9")[number] if number < 5 else colour(number + 2)


def _title(kind: str) -> str:
    known = {
        "pretrain loss": tr("Loss of pre-training"),
        "masking rate": tr("How often each raster is hidden"),
        "reliance": tr("Reliance on each raster"),
        "skill": tr("Skill of denoising each raster"),
        "balance index": tr("Balance between the rasters (1: even)"),
        "train loss": tr("Loss of training"),
        "accuracy": tr("Accuracy on training windows, by branch"),
        "class share": tr("Share of each class in what is predicted"),
    }
    return known.get(kind, kind[:1].upper() + kind[1:])
