"""The BDGF page in QGIS's options."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from qgis.gui import QgsCollapsibleGroupBox, QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ..files.paths import empty_folder, folder_size
from ..preferences import DEVICES, TORCH_BACKENDS, Preferences, preferences_of, read_preferences, write_preferences
from ..resources import icon, profile_home
from ..translation import tr
from ..workflows.session import end_idle_worker
from .background import in_background
from .installer import Installer
from .interpreter_box import InterpreterBox

PAGE = "BdgfOptions"  # by which QGIS opens its options there


class OptionsPage(QgsOptionsPageWidget):
    """Interpreter, device, cache and worker; OK and Apply of the options dialog store them."""

    def __init__(self, installer: Installer, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName(PAGE)
        stored = read_preferences()
        inside = QWidget()
        layout = QVBoxLayout(inside)
        self.interpreter = InterpreterBox(installer, stored.python)
        layout.addWidget(self.interpreter)
        layout.addWidget(self._computing(stored))
        layout.addWidget(self._cache(stored))
        layout.addWidget(self._closed_network(stored))
        layout.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inside)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self.show_cache_size()

    def apply(self) -> None:
        """Store what is set; a worker that waits was started with what was set before."""
        if self.preferences() != read_preferences():
            write_preferences(self.preferences())
            end_idle_worker()

    def preferences(self) -> Preferences:
        """What the page shows."""
        shown = {
            "python": self.interpreter.python(),
            "device": self.device.currentText().lower(),
            "cache": self.cache.filePath(),
            "pretrained": self.pretrained.value(),
            "idle": self.idle.value(),
            "uv": self.uv.filePath(),
            "base_python": self.base_python.filePath(),
            "torch_backend": self.backend.currentText(),
            "index": self.index.text(),
            "links": self.links.text(),
            "mirror": self.mirror.text(),
        }
        return preferences_of(shown)

    def show_cache_size(self) -> None:
        """Measure the cache folder beside the window."""
        folder = self._cache_folder()
        self.cache_size.setText(tr("measuring ..."))
        in_background(self, lambda: folder_size(folder), self._show_size)

    def clear_cache(self) -> None:
        """Delete what is in the cache folder."""
        empty_folder(self._cache_folder())
        self.show_cache_size()

    def _show_size(self, size: int) -> None:
        self.cache_size.setText(readable_size(size))
        self.clear.setEnabled(size > 0)

    def _cache_folder(self) -> Path:
        return self.preferences().cache_folder(profile_home())

    def _computing(self, stored: Preferences) -> QGroupBox:
        box = QGroupBox(tr("Computing"))
        form = QFormLayout(box)
        self.device = _choice(DEVICES, stored.device)
        self.device.setToolTip(
            tr(
                "Where runs compute whose own device is 'auto'. Here 'auto' takes the best GPU that works, else the "
                "CPU. Check environment says what is there."
            )
        )
        form.addRow(tr("Device"), self.device)
        self.idle = QSpinBox()
        self.idle.setRange(0, 240)
        self.idle.setValue(stored.idle)
        self.idle.setSuffix(" " + tr("min"))
        self.idle.setSpecialValueText(tr("at once"))
        self.idle.setToolTip(
            tr(
                "After a run the worker waits for the next one, which then starts at once. Until it ends it holds some "
                "memory, also on the graphics card."
            )
        )
        form.addRow(tr("End an idle worker after"), self.idle)
        return box

    def _cache(self, stored: Preferences) -> QGroupBox:
        box = QGroupBox(tr("Cache"))
        form = QFormLayout(box)
        self.cache = QgsFileWidget()
        self.cache.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.cache.lineEdit().setPlaceholderText(tr("in the QGIS profile"))
        self.cache.setFilePath(stored.cache)
        self.cache.fileChanged.connect(lambda _: self.show_cache_size())
        self.cache_size = QLabel()
        self.clear = QPushButton(tr("Clear"))
        self.clear.clicked.connect(self.clear_cache)
        row = QHBoxLayout()
        row.addWidget(self.cache_size)
        row.addWidget(self.clear)
        row.addStretch(1)
        self.pretrained = QSpinBox()
        self.pretrained.setRange(0, 1_000_000)
        self.pretrained.setSingleStep(100)
        self.pretrained.setValue(stored.pretrained)
        self.pretrained.setSuffix(" MiB")
        self.pretrained.setSpecialValueText(tr("keep none"))
        self.pretrained.setToolTip(
            tr(
                "What Train and Pre-train have learned of a scene without labels is kept here, 1 to 3 MiB each, and "
                "found again by the next run on the same rasters: with other polygons, or another preset that "
                "pre-trains alike. What was not used for the longest time goes first."
            )
        )
        form.addRow(tr("Folder"), self.cache)
        form.addRow(tr("Keep pre-trainings up to"), self.pretrained)
        form.addRow(tr("Size"), row)
        return box

    def _closed_network(self, stored: Preferences) -> QGroupBox:
        box = QgsCollapsibleGroupBox(tr("Installing in closed networks"))
        form = QFormLayout(box)
        self.backend = _choice(TORCH_BACKENDS, stored.torch_backend)
        self.backend.setToolTip(tr("'none' takes the build that the package index offers."))
        self.index, self.links, self.mirror = QLineEdit(stored.index), QLineEdit(stored.links), QLineEdit(stored.mirror)
        self.links.setPlaceholderText(tr("asked alone where no package index is named"))
        self.uv, self.base_python = _file(stored.uv, tr("found or fetched")), _file(stored.base_python, tr("fetched"))
        form.addRow(tr("Build of PyTorch"), self.backend)
        form.addRow(tr("Package index"), self.index)
        form.addRow(tr("Folder of packages"), self.links)
        form.addRow(tr("Mirror for Python"), self.mirror)
        form.addRow(tr("Path of uv"), self.uv)
        form.addRow(tr("Python to build on"), self.base_python)
        box.setCollapsed(not any((stored.index, stored.links, stored.mirror, stored.uv, stored.base_python)))
        return box


class OptionsFactory(QgsOptionsWidgetFactory):
    """Makes the page when the options dialog opens."""

    def __init__(self, installer: Installer) -> None:
        super().__init__("BDGF", icon())
        self._installer = installer

    def icon(self) -> QIcon:
        """Beside the page's name."""
        return icon()

    def createWidget(self, parent: Optional[QWidget] = None) -> OptionsPage:
        """A new page."""
        return OptionsPage(self._installer, parent)


def readable_size(size: int) -> str:
    """Bytes in words."""
    if size == 0:
        return tr("empty")
    for unit, name in ((1024**3, "GiB"), (1024**2, "MiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1024:.0f} KiB"


def _choice(items: tuple[str, ...], value: str) -> QComboBox:
    box = QComboBox()
    box.setEditable(True)
    box.addItems(list(items))
    box.setCurrentText(value)
    return box


def _file(path: str, hint: str) -> QgsFileWidget:
    widget = QgsFileWidget()
    widget.setFilePath(path)
    widget.lineEdit().setPlaceholderText(hint)
    return widget
