"""What the plugin adds to the QGIS window, and takes away again."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis, QgsProcessingProvider
from qgis.PyQt.QtCore import QTimer

from ..translation import tr
from .installer import Installer
from .menu import Menu
from .offer import Offer
from .options_page import OptionsFactory


class Additions:
    """The menu with the dock, the options page, and the offer to set up PyTorch when the provider says it is wanted."""

    def __init__(self, iface: Any, provider: QgsProcessingProvider) -> None:
        self._iface = iface
        self._provider = provider
        self.installer = Installer()
        self.offer = Offer(iface, self.installer)
        self._factory = OptionsFactory(self.installer)
        iface.registerOptionsWidgetFactory(self._factory)
        self.menu = Menu(iface)
        provider.torch_wanted.connect(self.offer.torch_wanted)
        self._later = QTimer()
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.offer.look_for_update)
        self._later.start(0)  # once the window stands

    def close(self, cancelled: int = 0) -> None:
        """Take everything away, and say how many runs had to be cancelled."""
        self._later.stop()
        self.menu.close()
        self._provider.torch_wanted.disconnect(self.offer.torch_wanted)
        self._iface.unregisterOptionsWidgetFactory(self._factory)
        self.offer.close()
        if cancelled:
            text = tr("It was switched off. Runs that had not ended were cancelled: {count}.")
            self._iface.messageBar().pushMessage(
                tr("BDGF"), text.format(count=cancelled), Qgis.MessageLevel.Warning, 10
            )
