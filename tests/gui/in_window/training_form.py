"""A training layer from its dialog as it opens; polygons drawn with the mouse, the form filled in as it comes up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inside import Run, main, tell, wait
from qgis.core import NULL, QgsProject, QgsRectangle, QgsVectorLayer
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QComboBox, QDialog, QDialogButtonBox
from qgis.utils import iface

CLASSES = [1, "Water", "", 2, "Trees", ""]


def draw(left: int) -> QDialog | None:
    """A square of the canvas, closed with the other button; the form that comes up, None without one."""
    view = iface.mapCanvas().viewport()
    corners = [QPoint(left + x, 100 + y) for x, y in ((0, 0), (80, 0), (80, 80), (0, 80))]
    for corner in corners:
        QTest.mouseMove(view, corner)
        QTest.mouseClick(view, Qt.LeftButton, Qt.NoModifier, corner)
    QTest.mouseClick(view, Qt.RightButton, Qt.NoModifier, corners[-1])
    return form() if wait(lambda: form() is not None, 10) else None


def form() -> QDialog | None:
    found = [each for each in QApplication.topLevelWidgets() if isinstance(each, QDialog) and each.isVisible()]
    return next((each for each in found if "Feature Attributes" in each.windowTitle()), None)


def in_form(dialog: QDialog, choose: str = "") -> dict[str, Any]:
    """What the form shows; its OK is pressed, then what is still open cancelled."""
    boxes = dialog.findChild(QDialogButtonBox)
    choice = next(box for box in dialog.findChildren(QComboBox) if box.isVisible())  # the role is the second
    seen: dict[str, Any] = {"shown": choice.currentText(), "may_be_kept": boxes.button(QDialogButtonBox.Ok).isEnabled()}
    if choose:
        choice.setCurrentText(choose)
    QTest.mouseClick(boxes.button(QDialogButtonBox.Ok), Qt.LeftButton)
    if not wait(lambda: form() is None, 1):
        QTest.mouseClick(boxes.button(QDialogButtonBox.Cancel), Qt.LeftButton)
        wait(lambda: form() is None, 5)
    return seen


def polygons(layer: QgsVectorLayer) -> list[Any]:
    return [None if each["class_id"] == NULL else each["class_name"] for each in layer.getFeatures()]


def fill(layer: QgsVectorLayer, left: int, choose: str = "") -> dict[str, Any]:
    dialog = draw(left)
    seen = {} if dialog is None else in_form(dialog, choose)
    return {**seen, "polygons": polygons(layer)}


def act() -> None:
    run = Run("createtraininglayer", {"CLASSES": CLASSES, "CRS": "EPSG:32632"})
    well = run.wait()
    run.dialog.close()
    (layer,) = QgsProject.instance().mapLayers().values()
    tell("layer", well=well, path=layer.source().split("|")[0])
    iface.setActiveLayer(layer)
    iface.mapCanvas().setExtent(QgsRectangle(600_000, 4_999_000, 601_000, 5_000_000))
    layer.startEditing()
    iface.actionAddFeature().trigger()
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "without": lambda: fill(layer, 100),
        "chosen": lambda: fill(layer, 200, "Trees"),
        "again": lambda: fill(layer, 300),
    }
    for name, step in steps.items():
        tell(name, **step())
    tell("kept", well=layer.commitChanges(), polygons=polygons(layer))


main(act)
