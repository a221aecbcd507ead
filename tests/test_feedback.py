"""The one protocol of progress, Cancel and log."""

from __future__ import annotations

import pytest
from qgis.core import QgsProcessingFeedback

from bdgf.bdgf_qgis.feedback import SILENT, RunCancelled
from bdgf.bdgf_qgis.workflows.qgis_feedback import QgisFeedback
from bdgf.tests.engine.helpers import Recorder


def test_parts_of_parts_share_the_bar_the_log_and_cancel() -> None:
    whole = Recorder(lambda recorder: len(recorder.notes) > 1)
    first = whole.part(0.0, 0.5, "reading")
    inner = whole.part(0.5, 1.0).part(0.5, 1.0)
    first.at(0.5)
    inner.at(0.5, "writing")
    assert [(share, text) for _, share, text in whole.bar] == [(0.0, "reading"), (0.25, ""), (0.875, "writing")]
    inner.info("a line")
    inner.check()
    first.warn("beware")
    assert whole.notes == ["a line", "beware"] and whole.warnings == ["beware"]
    with pytest.raises(RunCancelled):
        inner.check()


def test_without_anybody_who_looks_nothing_is_cancelled() -> None:
    SILENT.part(0.0, 0.5, "reading").at(1.0)
    SILENT.warn("beware")
    SILENT.check()


def test_processing_is_shown_percent_and_plain_lines_and_is_asked_about_cancel() -> None:
    told: list[str] = []

    class Told(QgsProcessingFeedback):
        def setProgressText(self, text: str) -> None:
            told.append(text)

    processing = Told(False)
    shown = QgisFeedback(processing).part(0.5, 1.0, "learning")
    shown.at(0.5, "learning: step 1")
    shown.at(0.6, "learning: step 2")
    shown.at(0.8)
    shown.at(0.9, "writing")
    assert processing.progress() == pytest.approx(95) and told == ["learning", "writing"], "details only now and then"
    for level in ("info", "warning", "error"):
        shown.note(level, f"{level} \0")
    assert "\0" not in processing.textLog() and all(
        each in processing.textLog() for each in ("info", "warning", "error")
    )
    shown.check()
    processing.cancel()
    with pytest.raises(RunCancelled):
        shown.check()
