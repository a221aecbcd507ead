"""Runs the installation as a task of QGIS; the dialog, the options page and the message bar all look at this one."""

from __future__ import annotations

from typing import Optional

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..translation import tr

ALGORITHM = "bdgf:installenvironment"


class Installer(QObject):
    """At most one installation at a time; goes on where its dialog is closed.

    Signals: progressed(percent, text), noted(line of the log), ended(whether it went well, what to tell the user).
    """

    progressed = pyqtSignal(float, str)
    noted = pyqtSignal(str)
    ended = pyqtSignal(bool, str)

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._feedback: Optional[_Feedback] = None
        self._context: Optional[QgsProcessingContext] = None
        self._task: Optional[QgsProcessingAlgRunnerTask] = None
        self._error = ""

    @property
    def running(self) -> bool:
        """Whether an installation is under way."""
        return self._task is not None

    def start(self, action: str = "install") -> None:
        """Begin 'install', 'reinstall' or 'remove', unless one is under way."""
        if self.running:
            return
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
        self._error = ""
        self._feedback, self._context = _Feedback(), QgsProcessingContext()
        self._feedback.told.connect(self._told)
        self._feedback.failed.connect(self._failed)
        self._task = QgsProcessingAlgRunnerTask(algorithm, {"ACTION": action}, self._context, self._feedback)
        # functions hold this object, with what the task works on, as long as the task lives; methods would not
        self._task.executed.connect(lambda well, results: self._executed(well))
        self._task.taskTerminated.connect(lambda: self._terminated())
        QgsApplication.taskManager().addTask(self._task)

    def cancel(self) -> None:
        """Stop it; `ended` follows."""
        if self._feedback is not None:
            self._feedback.cancel()

    def _told(self, percent: float, text: str, line: str) -> None:
        if line:
            self.noted.emit(line)
        else:
            self.progressed.emit(percent, text)

    def _failed(self, text: str) -> None:
        self._error = text
        self.noted.emit(text)

    def _executed(self, well: bool) -> None:
        cancelled = self._feedback is not None and self._feedback.isCanceled()
        self._end(well and not cancelled, self._error)

    def _terminated(self) -> None:
        if self._task is not None:
            self._end(False, self._error)

    def _end(self, well: bool, text: str) -> None:
        self._task = None
        default = (
            tr("BDGF is ready to train and classify.") if well else tr("The installation did not come to its end.")
        )
        self.ended.emit(well, text or default)


class _Feedback(QgsProcessingFeedback):
    """Tells through signals, which cross from the task's thread to the window's."""

    told = pyqtSignal(float, str, str)
    failed = pyqtSignal(str)

    def setProgressText(self, text: str) -> None:
        """What it does now."""
        self.told.emit(self.progress(), text, "")

    def pushInfo(self, info: str) -> None:
        """A line for the log."""
        self.told.emit(self.progress(), "", info)

    def pushWarning(self, warning: str) -> None:
        """A line for the log."""
        self.told.emit(self.progress(), "", warning)

    def reportError(self, error: str, fatalError: bool = False) -> None:
        """Why it failed."""
        self.failed.emit(error)
