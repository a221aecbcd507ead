"""Reports as the toolbox's own dialog makes and tells them: on by default, and told only where they were written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QEvent
from qgis.PyQt.QtWidgets import QTextEdit

from bdgf.tests.algorithms.helpers import Scene


@pytest.fixture
def results(provider: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the results viewer lists."""
    from processing.core.ProcessingConfig import ProcessingConfig, Setting
    from processing.core.ProcessingResults import resultsList
    from qgis.utils import iface

    keep_open = ProcessingConfig.KEEP_DIALOG_OPEN
    monkeypatch.setitem(ProcessingConfig.settings, keep_open, Setting("tests", keep_open, "", True))

    monkeypatch.setattr(iface, "browserModel", lambda: None)  # a mock that dialogs do not take

    listed = resultsList.results
    before = listed[:]
    listed.clear()
    yield listed
    listed[:] = before


def dialog_log(parameters: dict[str, Any]) -> tuple[bool, str]:
    """Whether Assess ended well in its dialog, where nothing is said of the report, and the dialog's log."""
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    dialog = AlgorithmDialog(QgsApplication.processingRegistry().createAlgorithmById("bdgf:assess"))
    ended: list[bool] = []
    dialog.algorithmFinished.connect(lambda well, found: ended.append(well))
    dialog.setParameters(parameters)
    dialog.show()  # one that is hidden goes with its run
    dialog.runAlgorithm()
    end = time.monotonic() + 30
    while not ended and time.monotonic() < end:
        QCoreApplication.processEvents()
        time.sleep(0.01)
    for _ in range(10):
        QCoreApplication.processEvents()
    text = dialog.findChild(QTextEdit, "txtLog").toPlainText()
    dialog.close()
    dialog.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)
    return ended[0], text


def test_a_report_is_made_by_default_and_listed(results: list[Any], scene: Scene):
    given = {"CLASSIFICATION": scene.truth, "REFERENCE": scene.validation, "CLASS_FIELD": "class_id"}
    well, text = dialog_log(given)
    (entry,) = results
    assert well and "HTML output has been generated" not in text
    assert "BDGF accuracy report" in Path(entry.filename).read_text(encoding="utf-8")
    assert f"Report: {entry.filename}. " in text


def test_no_report_is_told_after_a_failure(results: list[Any], scene: Scene):
    given = {"CLASSIFICATION": scene.optical, "REFERENCE": scene.validation, "CLASS_FIELD": "class_id"}
    well, text = dialog_log(given)
    assert not well and "'optical' has 24 bands" in text
    assert "HTML output has been generated" not in text and "Report: " not in text and results == []
