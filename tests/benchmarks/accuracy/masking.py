"""The course of adaptive, random and no masking: a table of where it ended, and a picture of how it went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bdgf.tests.benchmarks.accuracy.parts import MASKING, WHOLE
from bdgf.tests.benchmarks.accuracy.rows import Measured

_TITLES = {WHOLE: "adaptive masking", "random-masking": "random masking", "no-masking": "no masking"}
_SERIES = ("reliance", "skill", "masking rate")
_COLOURS = ("#1b6ca8", "#d1495b", "#66a182", "#8d6a9f")


def masking_table(measured: Iterable[Measured]) -> list[str]:
    """Rows of a Markdown table: per masking the balance index and each modality's reliance, skill and rate at the end.

    Of the rows of one scene. A preset counts only with two maskings at least; empty where none has them.
    """
    lines: list[list[str]] = []
    for (_, preset), groups in _compared(measured).items():
        names = _names(next(iter(groups.values()))[0])
        if not lines:
            heads = ["masking", "runs", "balance index"]
            heads += [f"{series}: {name}" for series in _SERIES for name in names]
            lines += [[*heads, "leans most on", "most skilled in"]]
            lines += [["---"] * len(lines[0])]
        for part, group in groups.items():
            values = {series: [_end(group, f"{series} {number}") for number in _numbers(names)] for series in _SERIES}
            cells = [f"{_TITLES[part]}, {preset}", str(len(group)), f"{_end(group, 'balance index'):.2f}"]
            cells += [f"{value:.3f}" for series in _SERIES for value in values[series]]
            lines.append([*cells, names[int(np.argmax(values["reliance"]))], names[int(np.argmax(values["skill"]))]])
    return [f"| {' | '.join(each)} |" for each in lines]


def draw_masking(measured: Iterable[Measured], folder: Path) -> list[Path]:
    """One PNG a scene and preset with two maskings at least: reliance, skill, rate and balance index over pre-training.

    A column a masking, the mean over its runs.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    written = []
    for (scene, preset), groups in _compared(measured).items():
        names = _names(next(iter(groups.values()))[0])
        figure = Figure(figsize=(3.2 * len(groups), 8), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(4, len(groups), sharex=True, sharey="row", squeeze=False)
        for column, (part, group) in enumerate(groups.items()):
            for row, series in enumerate((*_SERIES, "balance index")):
                axis = axes[row][column]
                for number, name in zip(_numbers(names), names, strict=True):
                    key = series if row == 3 else f"{series} {number}"
                    label, colour = (None, "#333333") if row == 3 else (name, _COLOURS[(number - 1) % len(_COLOURS)])
                    axis.plot(*_mean_curve(group, key), label=label, color=colour, linewidth=1.2)
                axis.grid(alpha=0.3)
                if column == 0:
                    axis.set_ylabel(series)
            axes[0][column].set_title(_TITLES[part])
        axes[0][0].legend(fontsize=8)
        figure.supxlabel("step of pre-training")
        path = folder / f"masking-{scene}-{preset}.png"
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
        written.append(path)
    return written


def _compared(measured: Iterable[Measured]) -> dict[tuple[str, str], dict[str, list[Measured]]]:
    """A row of each pre-training by scene and preset, then by masking in the order of MASKING, where there are two at
    least to compare. Rows that differ in their polygons alone come of one pre-training."""
    found: dict[tuple[str, str], dict[str, list[Measured]]] = {}
    runs = {replace(each.row, draw=0, final=False): each for each in filter(_tells, measured)}
    for each in sorted(runs.values(), key=lambda each: MASKING.index(each.row.part)):
        found.setdefault((each.row.scene, each.row.preset), {}).setdefault(each.row.part, []).append(each)
    return {key: groups for key, groups in found.items() if len(groups) > 1}


def _tells(measured: Measured) -> bool:
    """Whether a row shows the masking: all labels, several rasters."""
    row = measured.row
    return row.part in MASKING and not row.labels and not row.modalities and "skill 2" in measured.curves


def _names(measured: Measured) -> list[str]:
    return measured.notes["modalities"].split(", ")


def _numbers(names: Sequence[str]) -> range:
    return range(1, len(names) + 1)


def _end(group: Sequence[Measured], name: str) -> float:
    return float(np.mean([each.curves[name][1][-1] for each in group]))


def _mean_curve(group: Sequence[Measured], name: str) -> tuple[Sequence[float], np.ndarray]:
    length = min(len(each.curves[name][0]) for each in group)
    values = np.mean([each.curves[name][1][:length] for each in group], axis=0)
    return group[0].curves[name][0][:length], values
