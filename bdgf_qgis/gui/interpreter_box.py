"""The part of the options page that says which Python BDGF computes with, and sets it up or takes it away."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from ..engine.errors import EnvironmentMissing
from ..environment.diagnosis.requirements import Suitability, suitability_of
from ..environment.installation.install import is_outdated
from ..environment.managed import managed_python, read_state
from ..environment.python import DEVELOPMENT, FROM_SETTING, FROM_VARIABLE, OWN_ENVIRONMENT, VARIABLE
from ..resources import profile_home
from ..translation import tr
from ..workflows.session import chosen_python
from .background import in_background
from .install_panel import InstallPanel
from .installer import Installer


class InterpreterBox(QGroupBox):
    """The plugin's own environment, or a Python that the user names."""

    def __init__(self, installer: Installer, path: str, parent: Optional[QWidget] = None) -> None:
        super().__init__(tr("Python with PyTorch"), parent)
        self._installer = installer
        self.in_use = _note()
        self.own = QRadioButton(tr("BDGF's own environment"))
        self.other = QRadioButton(tr("Another Python"))
        self.state = _note()
        self.install, self.remove = QPushButton(), QPushButton(tr("Remove"))
        self.panel = InstallPanel(installer)
        self.path = QgsFileWidget()
        self.path.setFilePath(path)
        self.path.lineEdit().setPlaceholderText(tr("of a conda environment, a server, ..."))
        self.test = QPushButton(tr("Test"))
        self.found = _note()
        (self.other if path else self.own).setChecked(True)
        self._lay_out()
        self.own.toggled.connect(self._choose)
        self.install.clicked.connect(lambda: self._begin("install"))
        self.remove.clicked.connect(self._ask_to_remove)
        self.test.clicked.connect(self.look)
        self.path.fileChanged.connect(self._another)
        installer.ended.connect(self._ended)  # a method: let go of when the page is closed
        self._choose()
        self.refresh()

    def python(self) -> str:
        """The path that the user names; '' for the plugin's own."""
        return self.path.filePath().strip() if self.other.isChecked() else ""

    def refresh(self) -> None:
        """Show what is installed."""
        home = profile_home()
        managed = read_state(home)
        busy = self._installer.running
        if managed is None:
            self.state.setText(tr("Not installed."))
            self.install.setText(tr("Install"))
        elif is_outdated(home):
            self.state.setText(
                tr("Installed by version {version}; this version needs other packages.").format(version=managed.plugin)
            )
            self.install.setText(tr("Update"))
        else:
            self.state.setText(tr("Installed: {path}").format(path=managed_python(home)))
            self.install.setText(tr("Check and repair"))
        self.install.setEnabled(not busy)
        self.remove.setEnabled(home.exists() and not busy)
        self.in_use.setText(python_in_use(self.python()))

    def look(self) -> None:
        """Ask the named Python what it has."""
        path = self.path.filePath().strip()
        self.found.setText(tr("Looking ..."))
        in_background(self, lambda: suitability_of(path), self._show)

    def _show(self, found: Suitability) -> None:
        if found.fits:
            versions = ", ".join(f"{name} {version}" for name, version in found.packages)
            self.found.setText(
                tr("Fits: Python {version}, {packages}.").format(version=found.version, packages=versions)
            )
        else:
            self.found.setText("\n".join(found.lacking))

    def _choose(self) -> None:
        own = self.own.isChecked()
        for widget in (self.path, self.test, self.found):
            widget.setEnabled(not own)
        self.in_use.setText(python_in_use(self.python()))

    def _another(self) -> None:
        self.found.setText("")
        self.in_use.setText(python_in_use(self.python()))

    def _ended(self, well: bool, text: str) -> None:
        self.refresh()

    def _begin(self, action: str) -> None:
        self.panel.begin(action)
        self.refresh()

    def _ask_to_remove(self) -> None:
        question = tr("Delete BDGF's own environment and all that was downloaded for it? Models and maps stay.")
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(self, tr("BDGF"), question, buttons.Yes | buttons.No)
        if answer == buttons.Yes:
            self._begin("remove")

    def _lay_out(self) -> None:
        own = QHBoxLayout()
        own.addWidget(self.state, 1)
        own.addWidget(self.install)
        own.addWidget(self.remove)
        other = QHBoxLayout()
        other.addWidget(self.path, 1)
        other.addWidget(self.test)
        layout = QVBoxLayout(self)
        layout.addWidget(self.in_use)
        layout.addWidget(self.own)
        for part in (own, self.panel):
            layout.addLayout(_indented(part))
        layout.addWidget(self.other)
        for below in (other, self.found):
            layout.addLayout(_indented(below))


def python_in_use(setting: str) -> str:
    """Which Python BDGF computes with where the options name `setting` ('' for none), and who named it."""
    words = {
        FROM_VARIABLE: tr("BDGF computes with {path}. The variable {variable} names it and rules over this page."),
        FROM_SETTING: tr("BDGF computes with {path}, named on this page."),
        OWN_ENVIRONMENT: tr("BDGF computes with its own environment."),
        DEVELOPMENT: tr("BDGF computes with {path}, made for its development."),
    }
    try:
        found = chosen_python(setting)
    except EnvironmentMissing as error:
        return str(error)
    return words[found.where].format(path=found.path, variable=VARIABLE)


def _note() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _indented(part: object) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(22, 0, 0, 0)
    if isinstance(part, QWidget):
        row.addWidget(part)
    else:
        row.addLayout(part)
    return row
