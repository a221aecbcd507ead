"""Mouse and keys over the real canvas, and questions that come up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from inside import HOME, wait
from qgis.PyQt.QtCore import QPoint, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QInputDialog, QWidget
from qgis.utils import iface

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier

made = {"clicks": 0, "keys": 0}  # by whoever sits at the screen


def view() -> Any:
    return iface.mapCanvas().viewport()


def click(place: QPoint, button: Any = LEFT) -> None:
    made["clicks"] += 1
    QTest.mouseMove(view(), place)
    QTest.mouseClick(view(), button, NONE, place)


def press(widget: QWidget) -> None:
    made["clicks"] += 1
    QTest.mouseClick(widget, LEFT)


def key(code: Any) -> None:
    made["keys"] += 1
    canvas = iface.mapCanvas()
    canvas.setFocus()
    QTest.keyClick(canvas, code)


def drag(places: Sequence[QPoint]) -> None:
    made["clicks"] += 1
    QTest.mouseMove(view(), places[0])
    QTest.mousePress(view(), LEFT, NONE, places[0])
    for place in places[1:]:
        QTest.mouseMove(view(), place)
    QTest.mouseRelease(view(), LEFT, NONE, places[-1])


def corners(*places: QPoint) -> None:
    for place in places:
        click(place)
    click(places[-1], RIGHT)


def answer(text: str, ask: Callable[[], None]) -> None:
    """Type a text into the question that comes up."""

    def type_in() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QInputDialog), dialog
        dialog.setTextValue(text)
        dialog.accept()

    QTimer.singleShot(300, type_in)
    ask()


def shoot(name: str) -> None:
    iface.mapCanvas().waitWhileRendering()
    wait(lambda: False, 0.5)
    iface.mainWindow().grab().save(str(HOME / f"{name}.png"))
