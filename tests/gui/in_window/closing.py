"""QGIS is closed while the plugin trains: by its window, whose questions are answered, or at once."""

from __future__ import annotations

import os
from typing import Any

from inside import HOME, Heard, Run, main, tell, wait
from qgis.core import QgsApplication, QgsProcessingAlgRunnerTask, QgsProcessingContext
from qgis.PyQt.QtCore import QCoreApplication, QTimer
from qgis.PyQt.QtWidgets import QApplication, QMessageBox
from qgis.utils import iface

SCENE = HOME / "scene"
_kept: list[Any] = []


def training() -> dict[str, Any]:
    """Puts the demo scene into the project; parameters of a training that goes on until it is cancelled."""
    assert Run("createdemoscene", {"FOLDER": str(SCENE), "SIZE": 120, "SEED": 1}).wait()
    return {
        "MODALITIES": [str(SCENE / "dsm.tif")],
        "SAMPLES": str(SCENE / "training.gpkg"),
        "CLASS_FIELD": "class_id",
        "HOLDOUT": 0,
        "MODEL": str(HOME / "model.safetensors"),
    }


def answer() -> None:
    """Answer what QGIS asks: cancel the tasks, do not save."""
    asked = QApplication.activeModalWidget()
    if isinstance(asked, QMessageBox):
        tell("asked", text=asked.text())
        buttons = QMessageBox.StandardButton
        for each in (buttons.Yes, buttons.Discard):
            if asked.button(each) is not None:
                asked.button(each).click()


def by_the_window() -> None:
    run = Run("train", training(), "without labels")
    assert run.reach()
    timer = QTimer()
    timer.timeout.connect(answer)
    timer.start(200)
    _kept.append(timer)
    iface.mainWindow().close()
    ended = wait(lambda: bool(run.ended), 3.0)
    tell("cancelled", ended=ended, well=run.ended, said=run.feedback.said)
    iface.mainWindow().close()


def at_once() -> None:
    """The run has no dialog: QGIS's own fails where it ends without asking."""
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("bdgf:train")
    feedback, context = Heard("without labels"), QgsProcessingContext()
    task = QgsProcessingAlgRunnerTask(algorithm, training(), context, feedback)
    _kept.extend((algorithm, feedback, context, task))
    QgsApplication.taskManager().addTask(task)
    assert wait(lambda: feedback.reached, 20)
    tell("quit")
    QCoreApplication.quit()


main({"window": by_the_window, "quit": at_once}[os.environ["BDGF_TEST_CLOSE"]], stay=True)
