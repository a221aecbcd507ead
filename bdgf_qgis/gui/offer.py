"""Offers to set up PyTorch where it is needed and missing, or to renew it: a message bar, and the dialog behind it."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import Qgis
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QPushButton

from ..engine.errors import EnvironmentMissing
from ..environment.installation.install import is_outdated
from ..environment.managed import managed_python
from ..resources import profile_home
from ..translation import tr
from ..workflows.session import chosen_python
from .install_dialog import InstallDialog
from .installer import Installer


class Offer(QObject):
    """Speaks through the message bar of the QGIS window `iface`."""

    def __init__(self, iface: Any, installer: Installer) -> None:
        super().__init__()
        self._iface = iface
        self._installer = installer
        self._item: Optional[Any] = None
        self.dialog: Optional[InstallDialog] = None
        installer.ended.connect(self._ended)

    def torch_wanted(self) -> None:
        """Something needs PyTorch: offer it where there is none. The first time with the dialog at once."""
        try:
            chosen_python()
        except EnvironmentMissing:
            first = self.dialog is None
            text = tr("Training and classifying need PyTorch, which is not set up yet.")
            self._show_bar(text, tr("Set up..."), update=False)
            if first:
                self.open_dialog(update=False)

    def look_for_update(self) -> None:
        """Offer an update where the environment was made by a plugin version with other packages."""
        home = profile_home()
        in_use = managed_python(home)
        try:
            found = chosen_python()
        except EnvironmentMissing:
            return
        if in_use is not None and found.path == str(in_use) and is_outdated(home):
            text = tr("This version of BDGF was made for newer packages than those installed.")
            self._show_bar(text, tr("Update..."), update=True)

    def open_dialog(self, update: bool) -> None:
        """Show the dialog; it does not block the window."""
        self._clear()
        if self.dialog is not None:
            self.dialog.deleteLater()
        self.dialog = InstallDialog(self._installer, update, self._iface.mainWindow())
        self.dialog.open()

    def close(self) -> None:
        """Take everything away."""
        self._clear()
        self._installer.cancel()
        if self.dialog is not None:
            self.dialog.close()
            self.dialog.deleteLater()
            self.dialog = None

    def _show_bar(self, text: str, label: str, update: bool) -> None:
        self._clear()
        bar = self._iface.messageBar()
        item = bar.createMessage(tr("BDGF"), text)
        button = QPushButton(label)
        button.clicked.connect(lambda: self.open_dialog(update))
        item.layout().addWidget(button)
        self._item = bar.pushWidget(item, Qgis.MessageLevel.Info if update else Qgis.MessageLevel.Warning)
        item.destroyed.connect(self._gone)

    def _gone(self) -> None:
        self._item = None

    def _clear(self) -> None:
        if self._item is not None:
            self._iface.messageBar().popWidget(self._item)
            self._item = None

    def _ended(self, well: bool, text: str) -> None:
        """Tell how it went where the dialog is no longer open."""
        if self.dialog is None or not self.dialog.isVisible():
            level = Qgis.MessageLevel.Success if well else Qgis.MessageLevel.Warning
            self._iface.messageBar().pushMessage(tr("BDGF"), text, level, 10 if well else 0)
