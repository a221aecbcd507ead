"""The second part of the dock: the classes, and which one is drawn with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Optional

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QItemSelectionModel, QSortFilterProxyModel, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ....model.shared.infos import ClassInfo
from ...translation import tr
from .class_edits import added, moved, without
from .class_files import (
    ClassFileError,
    classes_of_layer,
    export_classes,
    export_filter,
    import_classes,
    import_filter,
)
from .class_table import CODE, NAME, PIXELS, POLYGONS, SHARE, ClassTableModel
from .samples import Samples, SamplesError

_NARROW = 340  # pixels
_ROWS = 5  # that are shown at least
_FIND_FROM = 8  # classes from which the line to find one is shown without being asked for


class ClassSection(QWidget):
    """`chosen(class or None)` says which class is drawn with; `failed(sentence)` what could not be done."""

    chosen = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._samples: Optional[Samples] = None
        self._code: Optional[int] = None
        self.model = ClassTableModel(self)
        self._shown = QSortFilterProxyModel(self)
        self._shown.setSourceModel(self.model)
        self._shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.table = QTableView()
        self.table.setModel(self._shown)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setMinimumHeight((_ROWS + 1) * self.table.verticalHeader().defaultSectionSize())
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column in (CODE, POLYGONS, PIXELS, SHARE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.find = QLineEdit()
        self.find.setPlaceholderText(tr("Find a class"))
        self.find.setClearButtonEnabled(True)
        self.find.setVisible(False)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setVisible(False)
        self.add = self._button("symbologyAdd.svg", tr("Add a class"), self.add_class)
        self.delete = self._button("symbologyRemove.svg", tr("Delete the class and its polygons"), self.delete_class)
        self.up = self._button("mActionArrowUp.svg", tr("Move the class up"), lambda: self.move_class(-1))
        self.down = self._button("mActionArrowDown.svg", tr("Move the class down"), lambda: self.move_class(1))
        self.more = QToolButton()
        self.more.setText(tr("More"))
        self.more.setAutoRaise(True)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(self._menu())
        buttons = QHBoxLayout()
        for button in (self.add, self.delete, self.up, self.down, self.more):
            buttons.addWidget(button)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.find)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.note)
        layout.addLayout(buttons)
        self.model.failed.connect(self.failed)
        self.model.modelReset.connect(self._choose_again)
        self.model.dataChanged.connect(lambda *_: self._show_columns())
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._selected())
        self.table.doubleClicked.connect(self._double_clicked)
        self.find.textChanged.connect(self._filter)
        self.find.returnPressed.connect(self._take_found)
        self.show_samples(None)

    def resizeEvent(self, event: Any) -> None:
        """Another width may have room for other columns."""
        super().resizeEvent(event)
        self._show_columns()

    # ------------------------------------------------------------ what is shown

    @property
    def current(self) -> Optional[ClassInfo]:
        """The class that is drawn with."""
        return next((info for info in self.model.classes if info.code == self._code), None)

    def show_samples(self, samples: Optional[Samples]) -> None:
        """Show the classes of other samples; none with None."""
        self._samples = samples
        self.setEnabled(samples is not None)
        self.model.show_samples(samples)
        self._choose_again()

    def refresh(self) -> None:
        """Look at the layer again: polygons were drawn, undone, or changed elsewhere."""
        self.model.refresh()
        self._choose_again()

    def choose(self, position: int) -> None:
        """Draw with the class at a place of the list, from 0; nothing where there is none."""
        if 0 <= position < len(self.model.classes):
            self._choose(self.model.classes[position].code)

    def begin_to_find(self) -> None:
        """Show the line in which letters find a class."""
        self.find.setVisible(True)
        self.find.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.find.selectAll()

    # ------------------------------------------------------------ what can be done

    def add_class(self) -> None:
        """Ask for a name and add a class, which is drawn with from then on."""
        name, well = QInputDialog.getText(self, tr("Add a class"), tr("Name of the class"))
        if well and self._change(lambda: added(self.model.classes, name), {}):
            self._choose(self.model.classes[-1].code)

    def delete_class(self) -> None:
        """Delete the class that is chosen; asks where it has polygons."""
        info = self.current
        if info is None or self._samples is None:
            return
        polygons = self._samples.counts().get(info.code, 0)
        if polygons:
            text = tr("Delete the class '{name}' and its {count} polygons? The polygons can be brought back with Undo.")
            answer = QMessageBox.question(
                self,
                tr("Delete a class"),
                text.format(name=info.name, count=polygons),
                QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel,
            )
            if answer != QMessageBox.StandardButton.Yes:
                return
        self._change(lambda: without(self.model.classes, info.code), {info.code: None})

    def merge_class(self, other: int) -> None:
        """Move the polygons of the chosen class to another one, and delete it."""
        info = self.current
        if info is not None:
            self._change(lambda: without(self.model.classes, info.code), {info.code: other})
            self._choose(other)

    def move_class(self, places: int) -> None:
        """Move the chosen class in the list."""
        info = self.current
        if info is not None:
            self._change(lambda: moved(self.model.classes, info.code, places), {})

    def import_from(self, path: str) -> None:
        """Add the classes of a file."""
        try:
            self.import_classes(import_classes(path))
        except ClassFileError as error:
            self.failed.emit(str(error))

    def import_classes(self, classes: Iterable[ClassInfo]) -> None:
        """Add classes; those whose code is there take the name and colour."""
        found = {info.code: info for info in classes}
        kept = [found.pop(info.code, info) for info in self.model.classes]
        self._change(lambda: (*kept, *found.values()), {info.code: info.code for info in kept})

    # ------------------------------------------------------------ how

    def _button(self, icon: str, tip: str, act: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setIcon(QgsApplication.getThemeIcon(icon))
        button.setToolTip(tip)
        button.setAutoRaise(True)
        button.clicked.connect(lambda _: act())
        return button

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        self._merge = menu.addMenu(tr("Merge the class into"))
        self._merge.aboutToShow.connect(self._offer_merges)
        menu.addAction(tr("Colour of the class..."), self._ask_colour)
        menu.addSeparator()
        self._layers = menu.addMenu(tr("Take classes of the layer"))
        self._layers.aboutToShow.connect(self._offer_layers)
        menu.addAction(tr("Import classes..."), self._ask_import)
        menu.addAction(tr("Export classes..."), self._ask_export)
        return menu

    def _offer_merges(self) -> None:
        self._merge.clear()
        for info in self.model.classes:
            if info.code != self._code:
                action = self._merge.addAction(info.name)
                action.triggered.connect(lambda _, code=info.code: self.merge_class(code))

    def _offer_layers(self) -> None:
        self._layers.clear()
        own = None if self._samples is None else self._samples.layer
        for layer in QgsProject.instance().mapLayers().values():
            classes = classes_of_layer(layer) if layer is not own else ()
            if classes:
                action = self._layers.addAction(layer.name())
                action.triggered.connect(lambda _, classes=classes: self.import_classes(classes))
        if self._layers.isEmpty():
            self._layers.addAction(tr("No other layer shows classes")).setEnabled(False)

    def _change(self, make: Callable[[], Any], codes: dict[int, Any]) -> bool:
        """Whether the classes could be changed."""
        if self._samples is None:
            return False
        try:
            self._samples.change_classes(make(), codes)
        except (ValueError, SamplesError) as error:
            self.failed.emit(str(error))
            return False
        self.refresh()
        return True

    def _choose(self, code: Optional[int]) -> None:
        self._code = code
        self._choose_again()
        self.chosen.emit(self.current)

    def _choose_again(self) -> None:
        """Select the row of the chosen class; the first where it is gone."""
        classes = self.model.classes
        codes = [info.code for info in classes]
        if self._code not in codes:
            self._code = codes[0] if codes else None
            self.chosen.emit(self.current)
        if self._code is not None:
            row = self._shown.mapFromSource(self.model.index(codes.index(self._code), NAME))
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            if row.isValid():
                self.table.selectionModel().setCurrentIndex(row, flags)
        self.delete.setEnabled(bool(codes))
        if len(classes) >= _FIND_FROM:
            self.find.setVisible(True)
        self._show_columns()

    def _show_columns(self) -> None:
        """Pixels and shares, once they were counted; of a narrow dock names come first."""
        narrow = self.width() < _NARROW
        self.table.setColumnHidden(PIXELS, not self.model.counted)
        self.table.setColumnHidden(SHARE, not self.model.counted or narrow)
        self.table.setColumnHidden(CODE, self.model.counted and narrow)
        self._tell_of_unclassified()

    def _tell_of_unclassified(self) -> None:
        count = self.model.unclassified
        text = tr("{count} polygons have no class (hatched): select them and press R.").format(count=count)
        self.note.setText(text if self._samples is None or self.model.classes else tr("Add a class to draw with."))
        self.note.setVisible(self._samples is not None and (bool(count) or not self.model.classes))

    def _selected(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if rows:
            code = self.model.classes[self._shown.mapToSource(rows[0]).row()].code
            if code != self._code:
                self._code = code
                self.chosen.emit(self.current)

    def _double_clicked(self, index: Any) -> None:
        if index.column() in (POLYGONS, PIXELS, SHARE):
            self._ask_colour()

    def _filter(self, text: str) -> None:
        self._shown.setFilterFixedString(text)

    def _take_found(self) -> None:
        if self._shown.rowCount():
            row = self._shown.mapToSource(self._shown.index(0, NAME)).row()
            self.find.clear()
            self.choose(row)

    def _ask_colour(self) -> None:
        info = self.current
        if info is None:
            return
        colour = QColorDialog.getColor(QColor(info.colour), self, tr("Colour of {name}").format(name=info.name))
        if colour.isValid():
            self.model.recolour(self.model.classes.index(info), colour.name())
            self.chosen.emit(self.current)

    def _ask_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Import classes"), "", import_filter())
        if path:
            self.import_from(path)

    def _ask_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, tr("Export classes"), "classes.csv", export_filter())
        if path:
            try:
                export_classes(path, self.model.classes)
            except ClassFileError as error:
                self.failed.emit(str(error))
