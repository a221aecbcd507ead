"""Asks for regions from the window's thread, which never waits: answers come back to it by a timer."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

from qgis.core import QgsProcessingException
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, QTimer

from ..engine.worker import WorkerCommand
from ..translation import tr
from .error_sentences import only_sentences
from .newest_wins import NewestWins
from .raster_inputs import Rasters
from .region_python import region_command
from .regions import GrowSettings, RegionSession, SegmentSettings, Sight

_LOOK = 10  # milliseconds between two looks for answers
_IDLE = 300.0  # seconds without a question after which the worker ends
_PATIENCE = 5.0  # seconds that the thread has to end


@dataclass(frozen=True)
class Listener:
    """Who asks, as long as that is there, and what is called with the answer, or else with a sentence."""

    owner: QObject
    done: Callable[[Any], None]
    failed: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class _Answer:
    scene: Rasters
    owner: QObject
    call: Callable[[Any], None]
    value: Any


class RegionFinder(QObject):
    """Finds regions for the tools of one canvas; they share its worker. To be closed before it goes.

    Its listener is called later, in the window's thread, unless the question was withdrawn, a newer one took its slot,
    another scene was set, or the owner is deleted by then. The thread touches nothing of Qt.
    """

    def __init__(self, parent: Optional[QObject] = None, command: Callable[[], WorkerCommand] = region_command) -> None:
        super().__init__(parent)
        self._command = command
        self._answers: queue.Queue[_Answer] = queue.Queue()
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
        if rasters != self._scene:
            self._scene = rasters
            self._thread.ask("scene", lambda wanted: self._rest())  # lets go of files

    def look(self, sight: Sight, owner: QObject) -> None:
        """Make ready for questions about what is visible; what is wrong then shows with the first of them."""
        listener = Listener(owner, lambda answer: None)
        self._ask("look", lambda session, wanted: session.look(sight, wanted), listener)

    def grow(self, sight: Sight, place: tuple[float, float], settings: GrowSettings, listener: Listener) -> str:
        """The Growth from a place in the CRS of the grid. Returns the question's slot, for withdraw()."""
        slot = self.new_slot("grow")
        self._ask(slot, lambda session, wanted: session.grow(sight, *place, settings, wanted), listener)
        return slot

    def segment(self, sight: Sight, settings: SegmentSettings, listener: Listener) -> None:
        """The Segments of what is visible."""
        self._ask("segment", lambda session, wanted: session.segment(sight, settings, wanted), listener)

    def outline(self, slot: str, draw: Callable[[], bytes], listener: Listener) -> None:
        """An outline, which `draw` makes; called in the thread. One that a newer one overtakes while it is drawn is
        handed over too: who drags without a rest sees outlines all the same."""
        self._ask(slot, lambda session, wanted: draw(), listener, overtaken=True)

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
        listener: Listener,
        overtaken: bool = False,
    ) -> None:
        scene = self._scene
        if scene is None:
            return

        def work(wanted: Callable[[], bool]) -> None:
            call, answer = _outcome(lambda: question(self._session_of(scene), wanted), listener)
            if overtaken or wanted():
                self._answers.put(_Answer(scene, listener.owner, call, answer))

        self._thread.ask(slot, work)
        if not self._timer.isActive():  # one that is started again and again never comes to its end
            self._timer.start()

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
            answer = self._answers.get()
            if answer.scene is self._scene and not sip.isdeleted(answer.owner):
                answer.call(answer.value)
        if not busy and not self._thread.busy:
            self._timer.stop()


def _outcome(answer: Callable[[], Any], listener: Listener) -> tuple[Callable[[Any], None], Any]:
    """Which function is to be called, and with what. (Of what was cancelled nobody hears.)"""
    try:
        with only_sentences(tr("the search for regions")):
            return listener.done, answer()
    except QgsProcessingException as error:
        return listener.failed, str(error)
