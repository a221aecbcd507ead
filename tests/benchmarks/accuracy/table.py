"""Markdown tables from measured rows: mean and deviation over seeds and draws, differences in pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from bdgf.tests.benchmarks.accuracy.masking import masking_table
from bdgf.tests.benchmarks.accuracy.parts import PARTS, WHOLE
from bdgf.tests.benchmarks.accuracy.rows import BASELINES, BDGF, Measured, Row

Group = list[Measured]
_BASELINE_NAMES = {"forest": "random forest, 500 trees", "svm": "RBF-SVM", "cnn": "middle-fusion patch CNN"}
_HEAD = ("runs", "OA", "AA", "kappa", "ECE", "train, s", "classify, s", "pixels")


def page(measured: Iterable[Measured]) -> str:
    """The tables of all rows."""
    everything = list(measured)
    lines = [
        "# Accuracy",
        "",
        "Mean and deviation over seeds and draws. OA, AA: overall and average accuracy; ECE: expected calibration "
        "error, 15 bins. Training includes pre-training. BDGF classifies the whole scene in the seconds given, the "
        "others the reference pixels alone.",
    ]
    for scene in dict.fromkeys(each.row.scene for each in everything):
        for final in (True, False):
            some = [each for each in everything if each.row.scene == scene and each.row.final == final]
            if some:
                lines += ["", f"## {scene}, {'validation polygons' if final else 'hold-outs of training polygons'}"]
                lines += _scene_tables(some)
    states = sorted({f"{each.notes.get('code', '?')} ({each.notes.get('device', '?')})" for each in everything})
    lines += ["", f"States of the code (and devices) that rows were measured with: {', '.join(states)}."]
    return "\n".join(lines) + "\n"


def _scene_tables(some: Group) -> list[str]:
    plain = [each for each in some if not each.row.labels and each.row.part == WHOLE]
    lines = _figures_table(plain) + _class_table([each for each in plain if not each.row.modalities])
    masking = masking_table(some)
    lines += ["", "Masking, at the end of pre-training:", "", *masking] if masking else []
    lines += _parts_table([each for each in some if not each.row.labels and each.row.method == BDGF])
    for labels in sorted({each.row.labels for each in some} - {""}, key=lambda each: (each[-1], len(each), each)):
        lines += _scarce_table(labels, [each for each in some if each.row.labels == labels])
    return lines


def _figures_table(some: Group) -> list[str]:
    groups = _groups(some)
    if not groups:
        return []
    return ["", *_table(("method", *_HEAD), [(_title(key), *_cells(group)) for key, group in groups.items()])]


def _class_table(some: Group) -> list[str]:
    groups = _groups(some)
    names = list(dict.fromkeys(name for group in groups.values() for each in group for name in each.figures.f1))
    if not groups:
        return []
    rows = [
        (_title(key), *(_mean(each.figures.f1.get(name) for each in group) for name in names))
        for key, group in groups.items()
    ]
    return ["", *_table(("F1", *names), rows)]


def _parts_table(some: Group) -> list[str]:
    """Each part off against the whole, over the seeds and draws that both have."""
    groups = _groups(some)
    rows = []
    for key, group in groups.items():
        whole = groups.get(replace(key, part=WHOLE))
        if key.part != WHOLE and whole:
            rows.append(
                (
                    _title(key),
                    *_cells(group),
                    _difference(group, whole, "overall"),
                    _difference(group, whole, "average"),
                )
            )
        elif any(other.part != WHOLE and replace(other, part=WHOLE) == key for other in groups):
            rows.append((f"**{_title(key)}**", *_cells(group), "", ""))
    if len(rows) < 2:
        return []
    return [
        "",
        "Parts, and the difference to the whole in points:",
        "",
        *_table(("part", *_HEAD, "OA -", "AA -"), rows),
    ]


def _scarce_table(labels: str, some: Group) -> list[str]:
    """Methods on the same few labels, and by how much the whole of BDGF is ahead of each, in pairs."""
    groups = _groups(some)
    ours = {
        key: each for key, each in groups.items() if key.method == BDGF and key.part == WHOLE and not key.modalities
    }
    heads = [f"{_title(key)} is ahead in OA by" for key in ours]
    rows = [
        (
            _title(key),
            *_cells(group),
            *("" if key == own else _difference(mine, group, "overall") for own, mine in ours.items()),
        )
        for key, group in groups.items()
    ]
    return ["", f"{labels} a class, points in pairs:", "", *_table(("method", *_HEAD, *heads), rows)]


def _groups(some: Group) -> dict[Row, Group]:
    """Rows that differ in seed and draw only; baselines first, then BDGF with the parts in their order."""
    groups: dict[Row, Group] = {}
    for each in some:
        groups.setdefault(replace(each.row, seed=0, draw=0), []).append(each)
    methods, parts = (*BASELINES, BDGF), list(PARTS)

    def order(row: Row) -> tuple[object, ...]:
        part = parts.index(row.part) if row.part in parts else len(parts)
        return methods.index(row.method), len(row.modalities), row.modalities, row.preset, part, row.kind

    return {key: groups[key] for key in sorted(groups, key=order)}


def _title(row: Row) -> str:
    words = [_BASELINE_NAMES.get(row.method, f"BDGF {row.preset}")]
    words += [row.part] if row.part != WHOLE else []
    words += [f"{' + '.join(row.modalities)} alone"] if row.modalities else []
    given = {"pre-training steps": row.pretrain_steps, "steps": row.steps, "epochs": row.epochs}
    return ", ".join([*words, *(f"{count} {name}" for name, count in given.items() if count is not None)])


def _cells(group: Group) -> tuple[str, ...]:
    return (
        str(len(group)),
        *(_mean(getattr(each.figures, name) for each in group) for name in ("overall", "average", "kappa", "ece")),
        _seconds(group, ("pretrain", "train")),
        _seconds(group, ("classify",)),
        f"{np.mean([each.figures.pixels for each in group]):,.0f}",
    )


def _mean(values: Iterable[float | None]) -> str:
    known = [each for each in values if each is not None]
    return _spread(known, 3) if known else ""


def _seconds(group: Group, names: Sequence[str]) -> str:
    return f"{np.mean([sum(each.seconds[name] for name in names) for each in group]):.1f}"


def _difference(group: Group, other: Group, figure: str) -> str:
    """Points by which a group is above another, over what both have measured with the same seed and draw.

    The SVM, in which seeds change nothing, stands against every seed of the same draw.
    """
    pairs = []
    for each in group:
        same = [one for one in other if one.row.draw == each.row.draw]
        same = [one for one in same if one.row.seed == each.row.seed or one.row.method == "svm"]
        pairs += [100 * (getattr(each.figures, figure) - getattr(one.figures, figure)) for one in same]
    return _spread(pairs, 1, sign="+") if pairs else ""


def _spread(values: Sequence[float], digits: int, sign: str = "") -> str:
    mean = f"{np.mean(values):{sign}.{digits}f}"
    return f"{mean} ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else mean


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(each)} |" for each in (head, ["---"] * len(head), *rows)]
