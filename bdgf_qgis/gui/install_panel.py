"""How an installation looks while it runs: a bar, what it does now, and Cancel."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ..translation import tr
from .installer import Installer


class InstallPanel(QWidget):
    """Looks at an installer; shown while it runs and when it ended."""

    def __init__(self, installer: Installer, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._installer = installer
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.cancel = QPushButton(tr("Cancel"))
        self.cancel.clicked.connect(installer.cancel)
        row = QHBoxLayout()
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.text)
        installer.progressed.connect(self._show_progress)
        installer.ended.connect(self._show_end)
        self.setVisible(installer.running)

    def begin(self, action: str) -> None:
        """Start and show it."""
        self.bar.setValue(0)
        self.text.setText("")
        self._installer.start(action)
        self._show_running(True)

    def _show_progress(self, percent: float, text: str) -> None:
        self._show_running(True)
        self.bar.setValue(round(percent * 10))
        self.text.setText(text)

    def _show_end(self, well: bool, text: str) -> None:
        self._show_running(False)
        self.bar.setValue(1000 if well else 0)
        self.text.setText(text)

    def _show_running(self, running: bool) -> None:
        self.setVisible(True)
        self.bar.setVisible(running)
        self.cancel.setVisible(running)
