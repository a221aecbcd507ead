"""The dialog that offers to set up PyTorch the first time something needs it."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from ..resources import icon
from ..translation import tr
from .install_panel import InstallPanel
from .installer import Installer


class InstallDialog(QDialog):
    """One click installs. The user may also close it, and name a Python in the options."""

    def __init__(self, installer: Installer, update: bool = False, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("BDGF: update PyTorch") if update else tr("BDGF: set up PyTorch"))
        self.setWindowIcon(icon())
        self.setMinimumSize(560, 340)  # room for a long reason without a jump
        self._text = QLabel(_update_text() if update else _first_text())
        self._text.setWordWrap(True)
        self.panel = InstallPanel(installer, self)
        self._buttons = QDialogButtonBox()
        self.install: QPushButton = self._buttons.addButton(
            tr("Update now") if update else tr("Install now"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.install.setDefault(True)
        self.later: QPushButton = self._buttons.addButton(tr("Not now"), QDialogButtonBox.ButtonRole.RejectRole)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self._text)
        layout.addWidget(self.panel)
        layout.addStretch(1)
        layout.addWidget(self._buttons)
        self.install.clicked.connect(self._begin)
        self.later.clicked.connect(self.reject)
        installer.ended.connect(self._ended)
        if installer.running:
            self._show_running()

    def _begin(self) -> None:
        self.panel.begin("install")
        self._show_running()

    def _show_running(self) -> None:
        self.install.setEnabled(False)
        self.later.setText(tr("Go on in the background"))

    def _ended(self, well: bool, text: str) -> None:
        self._text.setVisible(not well)
        self.install.setEnabled(not well)
        self.install.setVisible(not well)
        self.install.setText(tr("Try again"))
        self.later.setText(tr("Close"))


def _first_text() -> str:
    return tr(
        "<p><b>Training and classifying need PyTorch, which QGIS does not bring.</b></p>"
        "<p>BDGF can set it up now, once for this QGIS profile: 0.3 to 3 GB are downloaded, depending on the graphics "
        "card, into a folder of their own. QGIS's own Python and other plugins are not touched, and removing it later "
        "takes one click.</p>"
        "<p>If you have a Python with PyTorch already, name it in Settings, Options, BDGF.</p>"
    )


def _update_text() -> str:
    return tr(
        "<p><b>This version of BDGF was made for newer packages than those installed.</b></p>"
        "<p>The update is made beside what is there; the old packages stay until the new ones work.</p>"
    )
