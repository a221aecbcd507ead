"""The BDGF dock: the scene, the classes, the tools that draw, and rounds of training and mapping."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import Qgis, QgsCoordinateReferenceSystem, QgsProcessingException, QgsProject, QgsVectorLayer
from qgis.gui import QgsCollapsibleGroupBox, QgsDockWidget
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtWidgets import QAction, QScrollArea, QVBoxLayout, QWidget

from ...files.errors import FileError
from ...raster.errors import RasterError
from ...raster.samples.statistics import SampleStatistics
from ...translation import tr
from ...workflows.new_training_layer import new_training_layer
from ...workflows.polygon_inputs import DrawnPolygons, polygons_of_layer
from ...workflows.raster_inputs import Rasters
from .autosave import AutoSave
from .canvas_keys import CanvasKeys
from .class_section import ClassSection
from .drawing import Drawing
from .live.panel import LivePanel
from .round_section import RoundSection
from .rounds import Rounds
from .samples import Samples
from .scene_choice import SceneChoice
from .scene_section import SceneSection
from .statistics.asker import StatisticsAsker
from .statistics.panel import StatisticsPanel
from .tool_bar import ToolBar
from .tools.point import Reference

_SECONDS = 8  # that a message stays
_REST = 100  # milliseconds after which rasters that were ticked are looked at


class BdgfDock(QgsDockWidget):
    """Composes the parts; `iface` is the window."""

    def __init__(self, iface: Any) -> None:
        super().__init__(tr("BDGF"), iface.mainWindow())
        self.setObjectName("BdgfDock")  # QGIS remembers its place by it
        self._iface = iface
        self._project = QgsProject.instance()
        self._samples: Optional[Samples] = None
        self.choice = SceneChoice(self._project, self)
        self.scene = SceneSection(self.choice, self._new_layer)
        self.classes = ClassSection()
        self.drawing = Drawing(iface.mapCanvas(), self._reference)
        self.tools = ToolBar(self.drawing, iface.mapCanvas(), iface.iconSize(True))
        self.autosave = AutoSave(self)
        self.rounds = Rounds(self._project, self)
        self.round = RoundSection(self.rounds)
        self.asker = StatisticsAsker(self)
        self.statistics = StatisticsPanel()
        self.live = LivePanel(iface.mapCanvas(), self._inputs)
        self.find = QAction(tr("Find a class by its letters"), self)
        self.find.setObjectName("bdgf_find_class")
        self.find.setShortcut(QKeySequence("/"))
        self.find.triggered.connect(lambda _: self.classes.begin_to_find())
        self.keys = CanvasKeys(
            iface.mapCanvas(),
            [
                *self.drawing.actions.values(),
                self.drawing.take_back,
                self.drawing.give_up,
                self.drawing.reclassify,
                self.find,
            ],
            lambda number: self.classes.choose(number - 1),
            lambda: self.isVisible() and self._samples is not None,
        )
        self._lay_out()
        self._rasters: Optional[Rasters] = None
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_REST)
        self._later.timeout.connect(self._take_rasters)
        self._later.start()
        self.choice.rasters_changed.connect(self._later.start)
        self.choice.training_changed.connect(self._take_layer)
        self.classes.chosen.connect(self.drawing.draw_with)
        self.asker.found.connect(self._show_statistics)
        self.asker.failed.connect(self.statistics.show_failure)
        self.round.wanted.connect(self._begin_round)
        self.rounds.ended.connect(self._round_ended)
        for part in (self.classes, self.drawing, self.autosave, self.round):
            part.failed.connect(self.say)
        self._take_layer()

    def say(self, text: str) -> None:
        """A sentence in the window's message bar."""
        self._iface.messageBar().pushMessage(tr("BDGF"), text, Qgis.MessageLevel.Warning, _SECONDS)

    def close_parts(self) -> None:
        """Take everything off the canvas and the project, and end what runs."""
        self._later.stop()
        self.keys.close()
        self.tools.close_parts()
        self.asker.close()
        self.live.close_parts()
        self.drawing.close()
        self.autosave.close()
        self.rounds.close()
        self.classes.show_samples(None)
        if self._samples is not None:
            self._samples.close()
            self._samples = None
        self.choice.close()

    # ------------------------------------------------------------ how it looks

    def _lay_out(self) -> None:
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(6, 6, 6, 6)
        for title, widget, stretch in (
            (tr("Scene"), self.scene, 0),
            (tr("Classes"), self.classes, 1),
            (tr("Statistics"), self.statistics, 1),
            (tr("Map"), self.round, 0),
        ):
            box = QgsCollapsibleGroupBox(title)
            box.setObjectName(f"BdgfDock{widget.__class__.__name__}")
            inside = QVBoxLayout(box)
            if widget is self.round:
                inside.addWidget(self.live)
            inside.addWidget(widget)
            if widget is self.classes:
                inside.insertWidget(0, self.tools)
            layout.addWidget(box, stretch)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        self.setWidget(scroll)

    # ------------------------------------------------------------ what happens

    def _new_layer(self) -> Optional[QgsVectorLayer]:
        """A new training layer in the reference system of the rasters, else of the project."""
        reference = self._reference()
        crs = self._project.crs() if reference is None else reference[1]
        try:
            return new_training_layer(self._project, crs)
        except (QgsProcessingException, FileError) as error:
            self.say(str(error))
            return None

    def _reference(self) -> Optional[Reference]:
        ticked = self.choice.ticked
        if not ticked:
            return None
        return self.choice.raster(ticked[0]).grid, QgsCoordinateReferenceSystem(ticked[0].crs())

    def _take_rasters(self) -> None:
        """Look at the rasters that are ticked."""
        try:
            rasters = self.choice.rasters()
        except (QgsProcessingException, RasterError) as error:
            self.say(str(error))
            rasters = None
        if rasters != self._rasters:
            self._rasters = rasters
            self.drawing.look_at(rasters)
            self._ask()

    def _take_layer(self) -> None:
        """Draw into the layer that was chosen."""
        if self._samples is not None:
            self._samples.close()
        layer, field = self.choice.training, self.choice.field
        self._samples = Samples(layer, field, self._project) if layer is not None and field else None
        if self._samples is not None:
            self._samples.edited.connect(self.classes.refresh)
            self._samples.edited.connect(self._ask)
            self._samples.classes_changed.connect(self.classes.refresh)
            self._samples.gone.connect(self._layer_gone)
        elif layer is not None:
            self.say(tr("Choose the field of '{layer}' that holds the classes.").format(layer=layer.name()))
        self.autosave.follow(self._samples)
        self.classes.show_samples(self._samples)
        self.drawing.draw_into(self._samples)
        self._ask()

    def _ask(self) -> None:
        """Have statistics and the live map made of the samples as they are."""
        self.asker.ask(self._inputs)
        self.live.changed()

    def _inputs(self) -> Optional[tuple[Rasters, DrawnPolygons]]:
        """The scene and the samples; None where there is nothing to look at yet."""
        layer = None if self._samples is None else self._samples.layer
        if layer is None or self._rasters is None or not layer.featureCount():
            return None
        try:
            return self._rasters, polygons_of_layer(layer, self.choice.field, self._project)
        except QgsProcessingException as error:
            self.statistics.show_failure(str(error))
            return None

    def _show_statistics(self, statistics: SampleStatistics) -> None:
        self.statistics.show_statistics(statistics, self.classes.model.classes)
        self.classes.model.show_pixels(statistics.pixels)

    def _layer_gone(self) -> None:
        self._samples = None
        self.asker.forget()
        self.statistics.show_statistics(SampleStatistics(), ())
        self.autosave.follow(None)
        self.classes.show_samples(None)
        self.drawing.draw_into(None)

    def _begin_round(self, preset: str) -> None:
        layers, layer = self.choice.ticked, self.choice.training
        if not layers or layer is None or not self.choice.field:
            self.say(tr("Tick rasters, choose a training layer, and draw samples of two classes first."))
            return
        try:
            self.choice.rasters()
        except (QgsProcessingException, RasterError) as error:
            self.say(str(error))
            return
        self.round.started()
        self.rounds.start(layers, layer, self.choice.field, preset)

    def _round_ended(self, well: bool, text: str) -> None:
        if not well:
            self.say(text)
