"""The report of an assessment, as a page and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...model.shared.accuracy import accuracy_of
from ...model.shared.infos import ClassInfo
from ...model.shared.text import plain_text
from ..raster.texts import counted
from ..translation import tr
from .accuracy_tables import add_accuracy
from .page import Page
from .reliability import Reliability


@dataclass(frozen=True)
class AssessmentReport:
    """A class raster against reference polygons.

    classes   rows and columns of the confusion matrix (reference in rows)
    polygons  reference polygons a class
    left_out  reference pixels where the map is nodata
    notes     what was skipped, dropped or repaired
    trained_on  reference polygons that the map's model was trained on
    """

    classification: str
    reference: str
    classes: Sequence[ClassInfo]
    confusion: Sequence[Sequence[int]]
    polygons: Sequence[int]
    left_out: int
    notes: Sequence[str]
    trained_on: int = 0

    @property
    def reliability(self) -> Reliability:
        """The figures and what they come from."""
        return Reliability(accuracy_of(self.confusion), self.polygons)

    def html(self) -> str:
        """The page."""
        page = Page(tr("BDGF accuracy report"))
        polygons = counted(sum(self.polygons), "polygon")
        text = tr("{map} against {polygons} of {reference}")
        page.text(text.format(map=self.classification, polygons=polygons, reference=self.reference), "quiet")
        for each in self.notes:
            page.text(each, "warning")
        if self.left_out:
            text = tr("{count} reference pixels lie where the map has no class; they are left out.")
            page.text(text.format(count=f"{self.left_out:,}"), "quiet")
        add_accuracy(page, self.classes, self.confusion, self.reliability)
        return page.html()

    def json(self) -> str:
        """Figures for other programs; shares between 0 and 1, null where no pixel supports one."""
        accuracy = self.reliability.accuracy
        data: dict[str, Any] = {
            "oa": accuracy.overall,
            "oa_interval_95": list(self.reliability.interval),
            "aa": accuracy.average,
            "kappa": accuracy.kappa,
            "pixels": accuracy.pixels,
            "left_out": self.left_out,
            "polygons": sum(self.polygons),
            "polygons_trained_on": self.trained_on,
            "classification": self.classification,
            "reference": self.reference,
            "classes": [
                {"code": info.code, "name": info.name, **asdict(figures), "polygons": polygons}
                for info, figures, polygons in zip(self.classes, accuracy.classes, self.polygons)
            ],
            "confusion": [list(row) for row in self.confusion],
            "notes": list(self.notes),
        }
        return plain_text(json.dumps(data, ensure_ascii=False, indent=2), lines=True) + "\n"
