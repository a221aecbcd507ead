"""The report of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from ...model.shared.accuracy import accuracy_of
from ...model.shared.events import Curve
from ...model.shared.header import Header
from ...model.shared.infos import ModalityInfo
from ..raster.reading.pixel_size import size_text
from ..raster.samples.label_split import ClassCounts
from ..translation import tr
from .accuracy_tables import add_accuracy
from .curves import charts
from .page import Page, chip, escape, table
from .reliability import Reliability

_WEIGHT = " weight"  # how the names of such curves end


@dataclass(frozen=True)
class TrainingReport:
    """All that the page tells.

    coverage  sentences on what the accuracy figures cover
    warnings  what was skipped, dropped or repaired
    notes     how the class field was read, and which sample of the labelled pixels was used
    """

    model: str
    header: Header
    samples: Sequence[ClassCounts]
    coverage: Sequence[str]
    warnings: Sequence[str]
    curves: Sequence[Curve]
    partial: bool = False
    notes: Sequence[str] = ()

    @property
    def reliability(self) -> Reliability:
        """The figures and what they come from; there are some where the header has a confusion matrix."""
        return Reliability(accuracy_of(self.header.confusion), [each.held_out_polygons for each in self.samples])

    def html(self) -> str:
        """The page."""
        page = Page(tr("BDGF training report"))
        page.text(self.model, "quiet")
        if self.partial:
            page.text(
                tr("Training was cancelled: the model is the state it had reached, without accuracy figures."),
                "warning",
            )
        elif any(map(sum, self.header.confusion)):
            page.heading(tr("Accuracy on polygons that were kept out of training"))
            for sentence in self.coverage:
                page.text(sentence, "quiet")
            add_accuracy(page, self.header.classes, self.header.confusion, self.reliability)
        else:
            page.text(tr("No polygon was held out, so there are no accuracy figures: run Assess with other polygons."))
        if self.warnings:
            page.heading(tr("To look at"))
            for each in self.warnings:
                page.text(each, "warning")
        page.heading(tr("Samples"))
        for each in self.notes:
            page.text(each, "quiet")
        page.raw(self._samples())
        page.heading(tr("Rasters and settings"))
        page.facts(self._facts())
        courses = [each for each in self.curves if not each.name.endswith(_WEIGHT)]
        drawn = charts(courses, [each.name for each in self.header.modalities], self.header.classes)
        if drawn:
            page.heading(tr("Course of training"))
            page.raw("".join(drawn))
        return page.html()

    def _samples(self) -> str:
        labels = [tr("code"), tr("polygons"), tr("pixels"), tr("polygons held out"), tr("pixels held out")]
        header = [f'<th class="text">{escape(tr("class"))}</th>', *(f"<th>{escape(each)}</th>" for each in labels)]
        rows = []
        for info, counts in zip(self.header.classes, self.samples):
            numbers = (
                f"{info.code:,}",
                f"{counts.training_polygons:,}",
                _pixels(counts.training_pixels, counts.training_used),
                f"{counts.held_out_polygons:,}",
                _pixels(counts.held_out_pixels, counts.held_out_used),
            )
            cells = [f"<td>{escape(number)}</td>" for number in numbers]
            rows.append([f'<td class="text">{chip(info.colour)}{escape(info.name)}</td>', *cells])
        return table(header, rows)

    def _facts(self) -> list[tuple[str, str]]:
        header = self.header
        rows = [
            (each.name, tr("bands: {count}, {kind}").format(count=len(each.bands), kind=each.dtype) + _nodata(each))
            for each in header.modalities
        ]
        height, width = header.scene.shape
        grid = tr("'{name}': ").format(name=header.scene.grid) if header.scene.grid else ""
        size = size_text(header.scene)
        settings = header.settings
        return [
            *rows,
            (
                tr("Reference grid"),
                grid + tr("{width} x {height} pixels of {size}").format(width=width, height=height, size=size),
            ),
            (tr("Preset"), settings.preset),
            (tr("Steps of pre-training"), str(settings.diffusion.steps)),
            (tr("Steps of training"), str(settings.training.steps)),
            (tr("Seed"), str(header.seed)),
            (tr("Weights of the ensemble's members"), self._weights()),
            (tr("Samples (SHA-256)"), header.samples_hash),
            (tr("BDGF version"), header.plugin_version),
        ]

    def _weights(self) -> str:
        """How far each member is trusted: as set, or as found on polygons that it had not learned from."""
        found = [each for each in self.curves if each.name.endswith(_WEIGHT)]
        named = ", ".join(f"{each.name[: -len(_WEIGHT)].replace('_', ' ')} {each.values[-1]:.2f}" for each in found)
        weighed = not self.header.settings.branches.use or any(len(each.values) > 1 for each in found)
        return named if weighed else tr("{weights} (not weighed by polygons)").format(weights=named)


def _pixels(drawn: int, used: Optional[int]) -> str:
    """How many pixels there are, and how many of them are used where that is a sample."""
    if used is None or used == drawn:
        return f"{drawn:,}"
    return tr("{used} of {drawn}").format(used=f"{used:,}", drawn=f"{drawn:,}")


def _nodata(modality: ModalityInfo) -> str:
    if not modality.nodata:
        return ""
    return tr("; additional no data: {values}").format(values=", ".join(f"{each:g}" for each in modality.nodata))
