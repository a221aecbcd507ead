"""Keys that act only while the canvas has the focus, and that QGIS lists among its keyboard shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qgis.gui import QgsGui, QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QEvent, QObject, Qt
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtWidgets import QAction

_NAMES = (
    (Qt.KeyboardModifier.MetaModifier, "Meta"),
    (Qt.KeyboardModifier.ControlModifier, "Ctrl"),
    (Qt.KeyboardModifier.AltModifier, "Alt"),
    (Qt.KeyboardModifier.ShiftModifier, "Shift"),
)


class CanvasKeys(QObject):
    """Triggers actions by their shortcuts, and `digit` with 1 to 9; `wanted` says whether keys count at all now."""

    def __init__(
        self, canvas: QgsMapCanvas, actions: Sequence[QAction], digit: Callable[[int], None], wanted: Callable[[], bool]
    ) -> None:
        super().__init__()
        self._canvas = canvas
        self._actions = list(actions)
        self._digit = digit
        self._wanted = wanted
        for action in self._actions:
            # the window never triggers these by itself: keys such as P alone would act while texts are typed
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            QgsGui.shortcutsManager().registerAction(action, action.shortcut().toString())
        canvas.installEventFilter(self)

    def close(self) -> None:
        """Hear nothing more."""
        if not sip.isdeleted(self._canvas):
            self._canvas.removeEventFilter(self)
        for action in self._actions:
            QgsGui.shortcutsManager().unregisterAction(action)
        self._actions.clear()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys that are ours; all others go their way."""
        if event.type() not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress) or not self._wanted():
            return False
        act = self._act_for(event)
        if act is None:
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            act()
        return True

    def _act_for(self, event: Any) -> Any:
        pressed = _names_of(event)
        if len(pressed[0]) == 1 and pressed[0] in "123456789":
            number = int(pressed[0])
            return lambda: self._digit(number)
        for action in self._actions:
            if action.isEnabled() and action.shortcut().toString() in pressed:
                return action.trigger
        return None


def _names_of(event: Any) -> list[str]:
    """What a pressed key is called among shortcuts; a sign that needs Shift on some keyboards also without it."""
    key = QKeySequence(event.key()).toString()
    held = [name for modifier, name in _NAMES if event.modifiers() & modifier]
    names = ["+".join([*held, key])]
    if held == ["Shift"] and len(key) == 1 and not key.isalnum():
        names.append(key)
    return names
