"""The first part of the dock: which rasters make up the scene, and which layer samples are drawn into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from qgis.core import QgsFieldProxyModel, QgsMapLayerProxyModel, QgsRasterLayer
from qgis.gui import QgsFieldComboBox, QgsMapLayerComboBox
from qgis.PyQt.QtCore import QSignalBlocker, Qt
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...raster.reading.pixel_size import size_text
from ...style.band_combinations import BandCombination, band_combinations, show_combination
from ...translation import tr
from .scene_choice import SceneChoice, is_polygon_layer

_LAYER_ID = Qt.ItemDataRole.UserRole
_MOST_ROWS, _FEWEST_ROWS = 6, 2
_NARROW = 6  # letters that a box needs at least


class SceneSection(QWidget):
    """Shows a SceneChoice and changes it; `make_layer` makes a new training layer and returns it."""

    def __init__(self, choice: SceneChoice, make_layer: Callable[[], Any], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._choice = choice
        self._make_layer = make_layer
        self.rasters = QListWidget()
        self.rasters.setToolTip(tr("Rasters of one place that land cover is told from. A right click offers colours."))
        self.rasters.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.rasters.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rasters.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.rasters.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.hint = QLabel(tr("Load rasters of one place into the project: they are listed here."))
        self.hint.setWordWrap(True)
        self.layer = QgsMapLayerComboBox()
        self.layer.setFilters(QgsMapLayerProxyModel.Filter.PolygonLayer)
        self.layer.setAllowEmptyLayer(True, tr("No training layer"))
        self.field = QgsFieldComboBox()
        self.field.setFilters(QgsFieldProxyModel.Filter.Int | QgsFieldProxyModel.Filter.String)
        self.field.setToolTip(tr("The field that holds the class of each polygon"))
        self.new = QToolButton()
        self.new.setText(tr("New"))
        self.new.setToolTip(tr("Make a training layer beside the project, and draw into it"))
        for box in (self.layer, self.field):
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setMinimumContentsLength(_NARROW)
            box.setSizeAdjustPolicy(box.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        rows = QGridLayout()
        rows.addWidget(QLabel(tr("Samples")), 0, 0)
        rows.addWidget(self.layer, 0, 1)
        rows.addWidget(self.new, 0, 2)
        rows.addWidget(QLabel(tr("Class field")), 1, 0)
        rows.addWidget(self.field, 1, 1, 1, 2)
        rows.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.hint, self.rasters):
            layout.addWidget(widget)
        layout.addLayout(rows)
        self.rasters.itemChanged.connect(self._ticked)
        self.rasters.customContextMenuRequested.connect(self._offer_colours)
        self.layer.layerChanged.connect(self._layer_chosen)
        self.field.fieldChanged.connect(self._field_chosen)
        self.new.clicked.connect(self._new_layer)
        choice.rasters_changed.connect(self.show_rasters)
        choice.training_changed.connect(self.show_training)
        self.show_rasters()
        self.show_training()

    def show_rasters(self) -> None:
        """List the rasters that are offered, the finest first; it gives the grid."""
        ticked = {layer.id() for layer in self._choice.ticked}
        blocker = QSignalBlocker(self.rasters)
        self.rasters.clear()
        first = True
        for layer in self._choice.offered:
            chosen = layer.id() in ticked
            self.rasters.addItem(self._item(layer, chosen, chosen and first))
            first = first and not chosen
        del blocker
        count = self.rasters.count()
        self.hint.setVisible(not count)
        self.rasters.setVisible(bool(count))
        shown = min(max(count, _FEWEST_ROWS), _MOST_ROWS)
        height = self.rasters.sizeHintForRow(0) if count else 0
        self.rasters.setFixedHeight(shown * height + 2 * self.rasters.frameWidth() + 2)

    def show_training(self) -> None:
        """Show the layer that is drawn into, and its class field."""
        layer = self._choice.training
        blockers = [QSignalBlocker(self.layer), QSignalBlocker(self.field)]
        self.layer.setLayer(layer)
        self.field.setLayer(layer)
        self.field.setField(self._choice.field)
        self.field.setEnabled(layer is not None)
        del blockers

    def _item(self, layer: QgsRasterLayer, chosen: bool, rules: bool) -> QListWidgetItem:
        raster = self._choice.raster(layer)
        bands = len(raster.data)
        text = tr("{name} ({bands}, {size})").format(
            name=layer.name(),
            bands=tr("1 band") if bands == 1 else tr("{count} bands").format(count=bands),
            size=size_text(raster.scene_info()),
        )
        item = QListWidgetItem(text + (tr(", the grid") if rules else ""))
        item.setData(_LAYER_ID, layer.id())
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
        item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
        item.setToolTip(f"{text}\n{raster.path}")
        return item

    def _layer_of(self, item: QListWidgetItem) -> Optional[QgsRasterLayer]:
        return next((layer for layer in self._choice.offered if layer.id() == item.data(_LAYER_ID)), None)

    def _ticked(self, item: QListWidgetItem) -> None:
        layer = self._layer_of(item)
        if layer is not None:
            self._choice.tick(layer, item.checkState() == Qt.CheckState.Checked)

    def _offer_colours(self, place: Any) -> None:
        item = self.rasters.itemAt(place)
        layer = None if item is None else self._layer_of(item)
        if layer is None:
            return
        menu = self.colour_menu(layer)
        menu.exec(self.rasters.viewport().mapToGlobal(place))
        menu.deleteLater()

    def colour_menu(self, layer: QgsRasterLayer) -> QMenu:
        """Combinations of bands to show a raster with."""
        menu = QMenu(self)
        for combination in band_combinations(self._choice.raster(layer)):
            self._add_combination(menu, layer, combination)
        if menu.isEmpty():
            menu.addAction(tr("No combinations for fewer than three bands")).setEnabled(False)
        return menu

    def _add_combination(self, menu: QMenu, layer: QgsRasterLayer, combination: BandCombination) -> None:
        menu.addAction(combination.name).triggered.connect(lambda: show_combination(layer, combination))

    def _layer_chosen(self, layer: Any) -> None:
        self._choice.choose_training(layer if is_polygon_layer(layer) else None)

    def _field_chosen(self, name: str) -> None:
        if self._choice.training is not None:
            self._choice.choose_training(self._choice.training, name)

    def _new_layer(self) -> None:
        layer = self._make_layer()
        if layer is not None:
            self._choice.choose_training(layer)
