"""What stands in the menu Plugins > BDGF, and the button in the tool bar: the dock, the dialogs, options and help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import Qt, QUrl
from qgis.PyQt.QtGui import QDesktopServices, QIcon
from qgis.PyQt.QtWidgets import QAction

from ..resources import ROOT, icon
from ..translation import tr
from .dock.dock import BdgfDock
from .options_page import PAGE

_SHORTCUT = "Ctrl+Alt+B"
_DIALOGS = ("createtraininglayer", "train", "classify", "assess")


class Menu:
    """Adds itself to the window `iface`; the dock is made when it is first opened."""

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self.dock: Optional[BdgfDock] = None
        self._actions: list[QAction] = []
        self.toggle = self._add(tr("Draw samples and map"), self._toggle, icon())
        self.toggle.setCheckable(True)
        self.toggle.setToolTip(tr("BDGF: draw samples, train and map ({shortcut})").format(shortcut=_SHORTCUT))
        iface.addToolBarIcon(self.toggle)
        iface.registerMainWindowAction(self.toggle, _SHORTCUT)
        registry = QgsApplication.processingRegistry()
        for name in _DIALOGS:
            algorithm = registry.algorithmById(f"bdgf:{name}")
            if algorithm is not None:
                self._add(f"{algorithm.title()}...", lambda _=False, name=name: _open_dialog(name))
        self._add(tr("Options..."), lambda _=False: iface.showOptionsDialog(currentPage=PAGE))
        self._add(tr("Help"), lambda _=False: _open_help())

    def close(self) -> None:
        """Take everything away."""
        self._iface.unregisterMainWindowAction(self.toggle)
        self._iface.removeToolBarIcon(self.toggle)
        for action in self._actions:
            self._iface.removePluginMenu(tr("BDGF"), action)
            action.deleteLater()
        self._actions.clear()
        if self.dock is not None:
            self.dock.close_parts()
            self._iface.removeDockWidget(self.dock)
            self.dock.deleteLater()
            self.dock = None

    def _add(self, text: str, act: Callable[..., Any], picture: Optional[QIcon] = None) -> QAction:
        action = QAction(picture or QIcon(), text, self._iface.mainWindow())
        action.setObjectName(f"bdgf_menu_{len(self._actions)}")
        action.triggered.connect(act)
        self._iface.addPluginToMenu(tr("BDGF"), action)
        self._actions.append(action)
        return action

    def _toggle(self, shown: bool) -> None:
        if self.dock is None:
            self.dock = BdgfDock(self._iface)
            self._iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
            self.dock.visibilityChanged.connect(lambda _: self._show_state())
        self.dock.setUserVisible(shown)

    def _show_state(self) -> None:
        if self.dock is not None:
            self.toggle.setChecked(not self.dock.isHidden())


def _open_dialog(name: str) -> None:
    import processing

    dialog = processing.createAlgorithmDialog(f"bdgf:{name}")
    if dialog is not None:
        dialog.show()


def _open_help() -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(ROOT / "README.md")))
