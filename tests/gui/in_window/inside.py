"""What the scripts inside QGIS share: telling what they saw, waiting while the window lives, runs from dialogs."""

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
from processing.tools.dataobjects import createContext
from qgis.core import QgsApplication, QgsProcessingFeedback
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QThreadPool, QTimer
from qgis.utils import iface

HOME = Path(os.environ["BDGF_TEST_OUT"])
_EXPIRY = 0.3  # seconds after its last task in which a thread of the pool ends; half a minute by default
_HELD = 0.4  # seconds for which a run is held where the test wants to act


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


def processes() -> dict[int, str]:
    """Live processes of this test, by their number."""
    mark = f"BDGF_TEST_OUT={HOME}".encode()
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200]
        except OSError:
            continue
    return found


class Heard(QgsProcessingFeedback):
    """Remembers what a run says, and holds it for a moment where the bar says the words."""

    def __init__(self, words: str) -> None:
        super().__init__(False)
        self.words = words
        self.reached = False
        self.said: list[str] = []

    def setProgressText(self, text: str) -> None:
        if self.words and self.words in text and not self.reached:
            self.reached = True
            time.sleep(_HELD)

    def pushInfo(self, text: str) -> None:
        self.said.append(text)

    def pushWarning(self, text: str) -> None:
        self.said.append(text)

    def reportError(self, text: str, fatalError: bool = False) -> None:
        self.said.append(text)


class Run:
    """An algorithm in its own dialog, as from the toolbox, started.

    words  of the bar, at which the test wants to act
    """

    def __init__(self, algorithm: str, parameters: dict[str, Any], words: str = "") -> None:
        made = QgsApplication.processingRegistry().createAlgorithmById(f"bdgf:{algorithm}")
        fine, text = made.checkParameterValues(parameters, createContext())
        if not fine:  # the dialog would say so and wait
            raise ValueError(text)
        self.parameters = parameters
        self.feedback = Heard(words)
        self.dialog = AlgorithmDialog(made, False, iface.mainWindow())
        self.dialog.createFeedback = lambda: self.feedback
        self.dialog.setParameters(parameters)
        self.dialog.show()
        self.ended: list[bool] = []
        self.dialog.algorithmFinished.connect(lambda well, results: self.ended.append(well))
        self.dialog.runAlgorithm()

    def reach(self, seconds: float = 20.0) -> bool:
        """Whether the bar says the words in time."""
        return wait(lambda: self.feedback.reached or bool(self.ended), seconds) and self.feedback.reached

    def wait(self, seconds: float = 60.0) -> bool:
        """Whether it ended well and in time."""
        return wait(lambda: bool(self.ended), seconds) and self.ended[-1]

    def close(self) -> None:
        """Close the dialog for good."""
        self.dialog.close()
        self.dialog.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)


def _end_at_once(kind: Any, error: Any, trace: Any) -> None:
    traceback.print_exception(kind, error, trace)
    sys.stderr.flush()
    os._exit(1)


def main(act: Callable[[], None], stay: bool = False) -> None:
    """Call `act` once the window stands, then end QGIS without a word, unless it is to stay."""

    def begin() -> None:
        QThreadPool.globalInstance().setExpiryTimeout(round(_EXPIRY * 1000))
        sys.excepthook = _end_at_once  # QGIS would ask what to do, and wait
        try:
            act()
        except Exception:
            traceback.print_exc()
            os._exit(1)
        sys.stderr.flush()
        if not stay:
            os._exit(0)

    QTimer.singleShot(0, begin)
