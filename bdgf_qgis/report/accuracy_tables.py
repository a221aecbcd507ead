"""Accuracy on a page: large figures, a row a class, and the confusion matrix in shades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from ...model.shared.infos import ClassInfo
from ..translation import tr
from .page import Page, chip, escape, table
from .reliability import Reliability


def add_accuracy(
    page: Page, classes: Sequence[ClassInfo], confusion: Sequence[Sequence[int]], reliability: Reliability
) -> None:
    """What the figures come from, the figures, those of each class, and the matrix (reference in rows)."""
    accuracy = reliability.accuracy
    page.text(reliability.basis, "warning" if reliability.too_few else "")
    low, high = (reliability.percent(each) for each in reliability.interval)
    figures = [(tr("overall accuracy, 95 % interval"), tr("{low} to {high}").format(low=low, high=high))]
    if not reliability.too_few:
        figures += [
            (tr("overall accuracy"), reliability.percent(accuracy.overall)),
            (tr("average accuracy"), reliability.percent(accuracy.average)),
            (tr("kappa"), reliability.number(accuracy.kappa)),
        ]
    page.figures([*figures, (tr("reference pixels"), f"{accuracy.pixels:,}")])
    page.heading(tr("Each class"))
    page.raw(_class_table(classes, reliability))
    page.text(
        tr(
            "Producer's accuracy: share of the reference pixels that the map got right. User's accuracy: share of the "
            "mapped pixels that are right. F1: their harmonic mean. Average accuracy: the mean producer's accuracy."
        ),
        "quiet",
    )
    page.heading(tr("Confusion matrix"))
    page.raw(_matrix(classes, confusion))


def _class_table(classes: Sequence[ClassInfo], reliability: Reliability) -> str:
    labels = [tr("producer's"), tr("user's"), tr("F1"), tr("polygons"), tr("reference px"), tr("mapped px")]
    header = [f'<th class="text">{escape(tr("class"))}</th>', *(f"<th>{escape(each)}</th>" for each in labels)]
    rows = []
    for info, figures, polygons in zip(classes, reliability.accuracy.classes, reliability.polygons):
        shares = (figures.producer, figures.user, figures.f1)
        cells = [
            f'<td style="background-color: {_traffic(share)}">{reliability.percent(share)}</td>' for share in shares
        ]
        counts = [f"<td>{count:,}</td>" for count in (polygons, figures.reference, figures.mapped)]
        rows.append([f'<td class="text">{chip(info.colour)}{escape(info.name)}</td>', *cells, *counts])
    return table(header, rows)


def _matrix(classes: Sequence[ClassInfo], confusion: Sequence[Sequence[int]]) -> str:
    header = [
        f'<th class="text">{escape(tr("reference"))} ↓ {escape(tr("map"))} →</th>',
        *(f"<th>{chip(each.colour)}{escape(each.name)}</th>" for each in classes),
    ]
    rows = []
    for place, (info, counts) in enumerate(zip(classes, confusion)):
        whole = sum(counts)
        cells = [_cell(count, whole, place == column) for column, count in enumerate(counts)]
        rows.append([f'<th class="text">{chip(info.colour)}{escape(info.name)}</th>', *cells])
    caption = tr("Pixels; shades give the share of the reference class: blue where the map is right, red where wrong.")
    return table(header, rows, caption)


def _cell(count: int, whole: int, hit: bool) -> str:
    share = count / whole if whole else 0.0
    colour = _between("#ffffff", "#2166ac" if hit else "#b2182b", share**0.6)
    ink = "#ffffff" if share > 0.45 else "#24292f"
    return f'<td style="background-color: {colour}; color: {ink}" title="{share:.1%}">{count:,}</td>'


def _traffic(share: Optional[float]) -> str:
    """White for a perfect share, toward red as it falls."""
    return "#ffffff" if share is None else _between("#f4b6ad", "#ffffff", max(0.0, (share - 0.4) / 0.6))


def _between(low: str, high: str, share: float) -> str:
    pairs = [(int(low[at : at + 2], 16), int(high[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(first + (last - first) * min(share, 1.0)):02x}" for first, last in pairs)
