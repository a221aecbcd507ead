"""What the scripts inside QGIS share: telling what they saw, waiting while the window lives, dialogs of Processing."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processing.gui.AlgorithmDialog import AlgorithmDialog
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QThreadPool, QTimer
from qgis.utils import iface

HOME = Path(os.environ["BDGF_TEST_OUT"])
EXPIRY = 0.3  # seconds after its last task in which a thread of the pool ends; half a minute by default


def tell(name: str, **facts: Any) -> None:
    """A line for the test."""
    with open(HOME / "told.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"name": name, **facts}) + "\n")


def wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time; the window lives on meanwhile."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        QCoreApplication.processEvents()
        time.sleep(0.01)
    return condition()


def let_threads_end() -> None:
    """Wait until the threads of the pool that have no task are gone."""
    wait(lambda: False, 2.0)


class Run:
    """An algorithm in its own dialog, as from the toolbox, started."""

    def __init__(self, algorithm: str, parameters: dict[str, Any]) -> None:
        made = QgsApplication.processingRegistry().createAlgorithmById(f"bdgf:{algorithm}")
        self.dialog = AlgorithmDialog(made, False, iface.mainWindow())
        self.dialog.setParameters(parameters)
        self.dialog.show()
        self.ended: list[bool] = []
        self.dialog.algorithmFinished.connect(lambda well, results: self.ended.append(well))
        self.dialog.runAlgorithm()

    def wait(self, seconds: float = 60.0) -> bool:
        """Whether it ended well and in time."""
        return wait(lambda: bool(self.ended), seconds) and self.ended[-1]


def main(act: Callable[[], None]) -> None:
    """Call `act` once the window stands, then end QGIS without a word."""

    def begin() -> None:
        QThreadPool.globalInstance().setExpiryTimeout(round(EXPIRY * 1000))
        try:
            act()
        except Exception:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(0)

    QTimer.singleShot(0, begin)
