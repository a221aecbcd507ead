"""The plugin as QGIS sees it: switching it on registers the Processing provider, switching it off removes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from qgis.core import QgsApplication

from .algorithms.unloading import runs
from .provider import BdgfProvider
from .workflows.session import end_idle_worker

if TYPE_CHECKING:
    from .gui.additions import Additions


_PATIENCE = 6.0  # seconds for runs to end after Cancel; a training that keeps what it learned takes longest


class BdgfPlugin:
    """BDGF for QGIS. `iface` is None where there is no window, as in qgis_process."""

    def __init__(self, iface: Optional[Any] = None) -> None:
        self.iface = iface
        self.provider: Optional[BdgfProvider] = None
        self.additions: Optional[Additions] = None

    def initProcessing(self) -> None:
        """Register the provider; all that qgis_process needs."""
        if self.provider is None:
            runs.switch_on()
            self.provider = BdgfProvider()
            QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Start inside the QGIS window."""
        self.initProcessing()
        if self.iface is not None and self.provider is not None and self.additions is None:
            from .gui.additions import Additions

            self.additions = Additions(self.iface, self.provider)

    def unload(self) -> None:
        """Undo everything; runs under way are cancelled first."""
        cancelled = runs.switch_off(_PATIENCE) if self.provider is not None else 0
        if self.additions is not None:
            self.additions.close(cancelled)
            self.additions = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        end_idle_worker()
