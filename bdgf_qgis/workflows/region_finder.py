"""Asks for regions from the window's thread, which never waits: answers come back to it by a timer."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any, Optional

from qgis.core import QgsProcessingException
from qgis.PyQt.QtCore import QObject, QTimer

from ..engine.worker import WorkerCommand
from ..translation import tr
from .error_sentences import only_sentences
from .newest_wins import NewestWins
from .raster_inputs import Rasters
from .region_python import region_command
from .regions import GrowSettings, Growth, RegionSession, Segments, SegmentSettings, Sight

_LOOK = 10  # milliseconds between two looks for answers
_IDLE = 300.0  # seconds without a question after which the worker ends
_PATIENCE = 5.0  # seconds that the thread has to end

Failed = Callable[[str], None]


class RegionFinder(QObject):
    """Finds regions for the tools of one canvas; they share its worker. To be closed before it goes.

    Each question takes two functions, one of which is called later in the window's thread: `done` with the answer, or
    `failed` with a sentence. Neither is where the question was withdrawn, a newer one took its slot, or another scene
    was set. The thread touches nothing of Qt.
    """

    def __init__(self, parent: Optional[QObject] = None, command: Callable[[], WorkerCommand] = region_command) -> None:
        super().__init__(parent)
        self._command = command
        self._answers: queue.Queue[Callable[[], None]] = queue.Queue()
        self._thread = NewestWins("bdgf-regions", self._rest, _IDLE)
        self._session: Optional[RegionSession] = None  # of the thread alone
        self._scene: Optional[Rasters] = None
        self._number = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self._hand_over)

    @property
    def scene(self) -> Optional[Rasters]:
        """The rasters on which regions are found."""
        return self._scene

    def set_scene(self, rasters: Optional[Rasters]) -> None:
        """Find regions on these rasters from now on; None on none."""
        if rasters is not self._scene:
            self._scene = rasters
            self._thread.ask("scene", lambda wanted: self._rest())  # lets go of files

    def look(self, sight: Sight) -> None:
        """Make ready for questions about what is visible; what is wrong then shows with the first of them."""
        self._ask("look", lambda session, wanted: session.look(sight, wanted), lambda answer: None, lambda text: None)

    def grow(
        self,
        sight: Sight,
        place: tuple[float, float],
        settings: GrowSettings,
        done: Callable[[Growth], None],
        failed: Failed,
    ) -> str:
        """The regions that grow from a place in the CRS of the grid. Returns the question's slot, for withdraw()."""
        return self._ask(
            self.new_slot("grow"), lambda session, wanted: session.grow(sight, *place, settings, wanted), done, failed
        )

    def segment(
        self, sight: Sight, settings: SegmentSettings, done: Callable[[Segments], None], failed: Failed
    ) -> None:
        """The superpixels of what is visible."""
        self._ask("segment", lambda session, wanted: session.segment(sight, settings, wanted), done, failed)

    def outline(self, slot: str, draw: Callable[[], bytes], done: Callable[[bytes], None], failed: Failed) -> str:
        """An outline, which `draw` makes; called in the thread."""
        return self._ask(slot, lambda session, wanted: draw(), done, failed)

    def new_slot(self, name: str) -> str:
        """A slot for a question that no other one replaces."""
        self._number += 1
        return f"{name} {self._number}"

    def withdraw(self, slot: str) -> None:
        """The answer in this slot is no longer wanted."""
        self._thread.withdraw(slot)

    def close(self) -> None:
        """End thread and worker; nothing is answered any more."""
        self._scene = None
        self._timer.stop()
        self._thread.close(_PATIENCE)
        self._answers = queue.Queue()

    def _ask(
        self,
        slot: str,
        question: Callable[[RegionSession, Callable[[], bool]], Any],
        done: Callable[[Any], None],
        failed: Failed,
    ) -> str:
        scene = self._scene
        if scene is None:
            failed(tr("There are no rasters to find regions on: tick some in the dock."))
            return slot

        def work(wanted: Callable[[], bool]) -> None:
            call, answer = _outcome(lambda: question(self._session_of(scene), wanted), done, failed)
            if wanted():
                self._answers.put(lambda: call(answer) if self._scene is scene else None)

        self._thread.ask(slot, work)
        self._timer.start()
        return slot

    def _session_of(self, scene: Rasters) -> RegionSession:
        """Called in the thread."""
        if self._session is None or self._session.rasters is not scene:
            self._rest()
            self._session = RegionSession(scene, self._command)
        return self._session

    def _rest(self) -> None:
        """Called in the thread: nothing was asked for long, or nothing will be."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _hand_over(self) -> None:
        busy = self._thread.busy
        while not self._answers.empty():
            self._answers.get()()
        if not busy and self._answers.empty():
            self._timer.stop()


def _outcome(
    answer: Callable[[], Any], done: Callable[[Any], None], failed: Failed
) -> tuple[Callable[[Any], None], Any]:
    """Which of two functions is to be called, and with what. (One that was cancelled has nobody who listens.)"""
    try:
        with only_sentences(tr("the search for regions")):
            return done, answer()
    except QgsProcessingException as error:
        return failed, str(error)
