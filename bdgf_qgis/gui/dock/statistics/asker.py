"""Asks for statistics of the samples in a thread; the newest question alone is answered."""

from __future__ import annotations

import queue
from typing import Any, Callable, Optional

from qgis.core import QgsProcessingException
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ....feedback import Feedback, RunCancelled
from ....raster.reading.stack import open_stack
from ....raster.samples.statistics import SampleStatistics, sample_statistics
from ....translation import tr
from ....workflows.error_sentences import only_sentences
from ....workflows.newest_wins import NewestWins
from ....workflows.polygon_inputs import DrawnPolygons
from ....workflows.raster_inputs import Rasters

_REST, _LOOK = 400, 50  # milliseconds: without an edit before it is asked; between two looks for the answer
_IDLE, _PATIENCE = 60.0, 3.0  # seconds


class _While(Feedback):
    """Breaks off what is no longer wanted."""

    def __init__(self, wanted: Callable[[], bool]) -> None:
        self._wanted = wanted

    def is_cancelled(self) -> bool:
        """Whether something newer was asked for."""
        return not self._wanted()


class StatisticsAsker(QObject):
    """`found(SampleStatistics)` or `failed(sentence)` comes some time after ask(). The thread touches nothing of Qt."""

    found = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._thread = NewestWins("bdgf-statistics", lambda: None, _IDLE)
        self._answers: queue.Queue[Any] = queue.Queue()
        self._inputs: Optional[Callable[[], Optional[tuple[Rasters, DrawnPolygons]]]] = None
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_REST)
        self._later.timeout.connect(self._ask)
        self._look = QTimer(self)
        self._look.setInterval(_LOOK)
        self._look.timeout.connect(self._hand_over)

    def ask(self, inputs: Callable[[], Optional[tuple[Rasters, DrawnPolygons]]]) -> None:
        """Ask once edits rest; `inputs` gives rasters and polygons then, None where there is nothing to ask."""
        self._inputs = inputs
        self._later.start()

    def forget(self) -> None:
        """Want no answer any more."""
        self._inputs = None
        self._later.stop()
        self._thread.withdraw("statistics")

    def close(self) -> None:
        """End the thread."""
        self.forget()
        self._look.stop()
        self._thread.close(_PATIENCE)

    def _ask(self) -> None:
        given = None if self._inputs is None else self._inputs()
        if given is None:
            self.found.emit(SampleStatistics())
            return
        rasters, drawn = given

        def work(wanted: Callable[[], bool]) -> None:
            answer: Any
            try:
                with only_sentences(tr("the statistics of samples")):
                    answer = _statistics(rasters, drawn, _While(wanted))
            except QgsProcessingException as error:
                answer = str(error)
            if wanted():
                self._answers.put(answer)

        self._thread.ask("statistics", work)
        self._look.start()

    def _hand_over(self) -> None:
        busy = self._thread.busy
        while not self._answers.empty():
            answer = self._answers.get()
            if isinstance(answer, SampleStatistics):
                self.found.emit(answer)
            elif answer is not None:
                self.failed.emit(answer)
        if not busy:
            self._look.stop()


def _statistics(rasters: Rasters, drawn: DrawnPolygons, feedback: Feedback) -> Optional[SampleStatistics]:
    """None where it is no longer wanted."""
    try:
        with open_stack(rasters.modalities, rasters.grid, feedback=feedback) as stack:
            return sample_statistics(stack, drawn.polygons, drawn.crs_wkt, drawn.field, feedback)
    except RunCancelled:
        return None
