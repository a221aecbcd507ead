"""Saves what was drawn to the layer once drawing pauses, so that it is there after a crash of QGIS."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ...translation import tr
from .samples import Samples

_KEY = "bdgf/dock/autosave"
_PAUSE = 30_000  # milliseconds without an edit


class AutoSave(QObject):
    """Hears the samples; `failed(sentence)` where the layer could not be written: the edits stay in the buffer."""

    failed = pyqtSignal(str)

    def __init__(self, parent: Optional[QObject] = None, pause: int = _PAUSE) -> None:
        super().__init__(parent)
        self._samples: Optional[Samples] = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(pause)
        self._timer.timeout.connect(self.save)

    @property
    def on(self) -> bool:
        """Whether it saves by itself."""
        return bool(QgsSettings().value(_KEY, True, type=bool))

    def switch(self, on: bool) -> None:
        """Save by itself from now on, or no more."""
        QgsSettings().setValue(_KEY, on)
        if not on:
            self._timer.stop()

    def follow(self, samples: Optional[Samples]) -> None:
        """Save these samples from now on."""
        self._timer.stop()
        if self._samples is not None and self._samples.layer is not None:
            self._samples.edited.disconnect(self._edited)
        self._samples = samples
        if samples is not None:
            samples.edited.connect(self._edited)

    def save(self) -> None:
        """Write the edits to the layer, which stays in editing; what is saved cannot be undone."""
        layer = None if self._samples is None else self._samples.layer
        if layer is None or not layer.isEditable() or not layer.isModified():
            return
        if not layer.commitChanges(False):
            text = tr("The samples could not be saved to the layer '{layer}': {reason}. They are still in QGIS.")
            reason = "; ".join(layer.commitErrors()) or tr("the layer does not take them")
            self.failed.emit(text.format(layer=layer.name(), reason=reason.rstrip(".")))

    def close(self) -> None:
        """Save nothing more by itself."""
        self.follow(None)

    def _edited(self) -> None:
        if self.on:
            self._timer.start()
