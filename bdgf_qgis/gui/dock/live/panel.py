"""The live map's switch, how it is shown, and what it is doing."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Any, Optional

from qgis.core import QgsCoordinateTransform, QgsCsException, QgsProcessingException, QgsProject, QgsRectangle
from qgis.gui import QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QProgressBar, QSlider, QVBoxLayout, QWidget

from ....feedback import Feedback
from ....preferences import wished_device
from ....raster.errors import RasterError
from ....translation import tr
from ....workflows.error_sentences import only_sentences
from ....workflows.live_map import MOST_PIXELS, LiveAnswer, LiveMap, LiveRequest
from ....workflows.newest_wins import NewestWins
from ....workflows.polygon_inputs import DrawnPolygons
from ....workflows.raster_inputs import Rasters
from .overlay import LiveOverlay

Inputs = Callable[[], Optional[tuple[Rasters, DrawnPolygons]]]
_REST, _LOOK = 500, 100  # milliseconds: without a change before it is asked; between two looks for the answer
_IDLE, _PATIENCE = 600.0, 4.0  # seconds


class _Heard(Feedback):
    """Of a run in the thread: broken off once something newer is wanted; the newest text is there to be looked at."""

    def __init__(self, wanted: Callable[[], bool]) -> None:
        self._wanted = wanted
        self.share, self.text = 0.0, ""

    def is_cancelled(self) -> bool:
        """Whether something newer was asked for."""
        return not self._wanted()

    def at(self, share: float, text: str = "") -> None:
        """How far it is."""
        self.share, self.text = share, text or self.text


class LivePanel(QWidget):
    """Asks for a map at each change; `inputs` gives rasters and samples then, None where there is nothing to map."""

    def __init__(self, canvas: QgsMapCanvas, inputs: Inputs, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._inputs = inputs
        self._overlay: Optional[LiveOverlay] = None
        self._live = LiveMap()  # of the thread alone
        self._thread = NewestWins("bdgf-live", self._live.close, _IDLE)
        self._answers: queue.Queue[tuple[Any, float]] = queue.Queue()
        self._heard: Optional[_Heard] = None
        self.switch = QCheckBox(tr("Live map"))
        self.switch.setToolTip(tr("Map what is visible anew after each change of the samples, with preset instant"))
        self.what = QComboBox()
        self.what.addItems([tr("classes"), tr("confidence")])
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(10, 100)
        self.opacity.setValue(60)
        self.opacity.setToolTip(tr("Opacity of the live map"))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.text = QLabel()
        self.text.setWordWrap(True)
        row, layout = QHBoxLayout(), QVBoxLayout(self)
        row.addWidget(self.switch)
        row.addWidget(self.what)
        row.addWidget(self.opacity, 1)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.bar)
        layout.addWidget(self.text)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_REST)
        self._later.timeout.connect(self._ask)
        self._look = QTimer(self)
        self._look.setInterval(_LOOK)
        self._look.timeout.connect(self._look_for_answer)
        self.switch.toggled.connect(self._switched)
        self.what.currentIndexChanged.connect(lambda _: self._dress())
        self.opacity.valueChanged.connect(lambda _: self._dress())
        canvas.extentsChanged.connect(self.changed)
        self._show_busy(False)
        self.text.hide()

    def changed(self) -> None:
        """Samples, rasters or what is visible changed: map anew once changes rest."""
        if self.switch.isChecked():
            self._later.start()

    def close_parts(self) -> None:
        """End the thread and its worker's run, and take the map off the canvas."""
        self._later.stop()
        self._look.stop()
        self._thread.close(_PATIENCE)
        if not sip.isdeleted(self._canvas):
            self._canvas.extentsChanged.disconnect(self.changed)
            self._remove()

    def _switched(self, on: bool) -> None:
        if on:
            self._overlay = LiveOverlay(self._canvas)
            self._dress()
            self._ask()
        else:
            self._later.stop()
            self._thread.withdraw("map")
            self._remove()
            self._show_busy(False)
        self.text.setVisible(on)

    def _remove(self) -> None:
        if self._overlay is not None:
            self._canvas.scene().removeItem(self._overlay)
            self._overlay = None

    def _dress(self) -> None:
        """Show the map as the widgets say."""
        if self._overlay is not None:
            self._overlay.set_opacity(self.opacity.value() / 100)
            self._overlay.show_confidence(self.what.currentIndex() == 1)

    def _ask(self) -> None:
        given = self._inputs()
        if given is None:
            self._say(tr("Draw samples of two classes first."))
            return
        rasters, samples = given
        try:
            request = LiveRequest(rasters, samples, self._visible(rasters), wished_device("auto"))
            if request.pixels > MOST_PIXELS:
                text = tr("{count} pixels are visible, and {most} can be followed: zoom in.")
                self._say(text.format(count=f"{request.pixels:,}", most=f"{MOST_PIXELS:,}"))
                return
        except (RasterError, QgsCsException):
            self._say(tr("The rasters are not in view."))
            return

        def work(wanted: Callable[[], bool]) -> None:
            self._heard = _Heard(wanted)
            begun = time.monotonic()
            answer: Any
            try:
                with only_sentences(tr("the live map")):
                    answer = self._live.answer(request, self._heard)
            except QgsProcessingException as error:
                answer = str(error)
            if wanted():
                self._answers.put((answer, time.monotonic() - begun))

        self._thread.ask("map", work)
        self._show_busy(True)
        self._look.start()

    def _visible(self, rasters: Rasters) -> QgsRectangle:
        """What the canvas shows, in the reference system of the grid."""
        settings = self._canvas.mapSettings()
        extent = settings.visibleExtent()
        system = settings.destinationCrs()
        if rasters.crs.isValid() and system.isValid() and rasters.crs != system:
            across = QgsCoordinateTransform(system, rasters.crs, QgsProject.instance())
            extent = across.transformBoundingBox(extent)
        return extent

    def _look_for_answer(self) -> None:
        busy = self._thread.busy
        while not self._answers.empty():
            answer, seconds = self._answers.get()
            if not self.switch.isChecked():
                continue
            if isinstance(answer, LiveAnswer):
                if self._overlay is not None:
                    self._overlay.show_answer(answer)
                fitted, mapped = tr("Fitted and mapped in {seconds:.1f} s."), tr("Mapped in {seconds:.1f} s.")
                self._say((fitted if answer.fitted else mapped).format(seconds=seconds))
            else:
                self._say(str(answer))
        if not busy:
            self._look.stop()
            self._show_busy(False)
        elif self._heard is not None:
            self.bar.setValue(round(100 * self._heard.share))
            if self._heard.text:
                self._say(self._heard.text)

    def _say(self, text: str) -> None:
        self.text.setText(text)

    def _show_busy(self, busy: bool) -> None:
        self.bar.setVisible(busy)
