"""The table of classes: colour and name, code, polygons, pixels and their share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor

from ....model.shared.infos import ClassInfo
from ...translation import tr
from .class_edits import recoded, recoloured, renamed
from .samples import Samples, SamplesError

NAME, CODE, POLYGONS, PIXELS, SHARE = range(5)
_Role = Qt.ItemDataRole
_TOP = QModelIndex()


class ClassTableModel(QAbstractTableModel):
    """Rows are the classes in the layer's order; names and codes can be edited. `failed(sentence)`."""

    failed = pyqtSignal(str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._samples: Optional[Samples] = None
        self._classes: tuple[ClassInfo, ...] = ()
        self._polygons: Mapping[Optional[int], int] = {}
        self._pixels: Mapping[int, int] = {}

    @property
    def classes(self) -> tuple[ClassInfo, ...]:
        """The rows."""
        return self._classes

    @property
    def unclassified(self) -> int:
        """Polygons without a class."""
        return self._polygons.get(None, 0)

    @property
    def counted(self) -> bool:
        """Whether pixels were counted."""
        return bool(self._pixels)

    def show_samples(self, samples: Optional[Samples]) -> None:
        """Show the classes of other samples; none with None."""
        self._samples, self._pixels = samples, {}
        self.refresh()

    def refresh(self) -> None:
        """Look at the layer again."""
        there = self._samples is not None and self._samples.layer is not None
        classes = self._samples.classes if self._samples is not None and there else ()
        self._polygons = self._samples.counts() if self._samples is not None and there else {}
        if [info.code for info in classes] == [info.code for info in self._classes]:
            self._classes = classes
            if classes:
                self.dataChanged.emit(self.index(0, 0), self.index(len(classes) - 1, SHARE))
            return
        self.beginResetModel()
        self._classes = classes
        self.endResetModel()

    def show_pixels(self, pixels: Mapping[int, int]) -> None:
        """Pixels of each class code, on the reference grid."""
        self._pixels = pixels
        if self._classes:
            self.dataChanged.emit(self.index(0, PIXELS), self.index(len(self._classes) - 1, SHARE))

    def rowCount(self, parent: QModelIndex = _TOP) -> int:
        """One a class."""
        return 0 if parent.isValid() else len(self._classes)

    def columnCount(self, parent: QModelIndex = _TOP) -> int:
        """Name, code, polygons, pixels, share."""
        return 0 if parent.isValid() else SHARE + 1

    def headerData(self, section: int, orientation: Any, role: int = _Role.DisplayRole) -> Any:
        """Titles of the columns."""
        if orientation != Qt.Orientation.Horizontal or role != _Role.DisplayRole:
            return None
        return (tr("Class"), tr("Code"), tr("Polygons"), tr("Pixels"), tr("Share"))[section]

    def flags(self, index: QModelIndex) -> Any:
        """Names and codes can be edited."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() in (NAME, CODE) else flags

    def data(self, index: QModelIndex, role: int = _Role.DisplayRole) -> Any:
        """What a cell shows."""
        info = self._classes[index.row()]
        column = index.column()
        if role == _Role.DecorationRole and column == NAME:
            return QColor(info.colour)
        if role == _Role.TextAlignmentRole and column != NAME:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == _Role.ToolTipRole and column == NAME:
            key = tr("; key {number}").format(number=index.row() + 1) if index.row() < 9 else ""
            return tr("{name}, code {code}{key}. Double click on the name to rename.").format(
                name=info.name, code=info.code, key=key
            )
        if role not in (_Role.DisplayRole, _Role.EditRole):
            return None
        pixels = self._pixels.get(info.code)
        total = sum(self._pixels.values())
        texts = {
            NAME: info.name,
            CODE: info.code,
            POLYGONS: self._polygons.get(info.code, 0),
            PIXELS: "" if pixels is None else f"{pixels:,}",
            SHARE: "" if pixels is None or not total else f"{pixels / total:.1%}",
        }
        return texts[column]

    def setData(self, index: QModelIndex, value: Any, role: int = _Role.EditRole) -> bool:
        """Rename a class, or give it another code, which its polygons take too."""
        if role != _Role.EditRole or self._samples is None:
            return False
        info = self._classes[index.row()]
        try:
            if index.column() == NAME and str(value) != info.name:
                changed = renamed(self._classes, info.code, str(value))
                self._samples.change_classes(changed, {info.code: info.code})
            elif index.column() == CODE and int(value) != info.code:
                self._samples.change_classes(recoded(self._classes, info.code, int(value)), {info.code: int(value)})
        except (ValueError, SamplesError) as error:
            self.failed.emit(str(error))
            return False
        self.refresh()
        return True

    def recolour(self, row: int, colour: str) -> None:
        """Give a class another colour, #rrggbb."""
        if self._samples is not None:
            info = self._classes[row]
            self._samples.change_classes(recoloured(self._classes, info.code, colour), {})
            self.refresh()
