"""A first map from an empty project, to watch: the demo scene is loaded, samples are drawn freehand, a round is run.

BDGF_TEST_SCENE names the folder of the demo scene, BDGF_TEST_PAUSE seconds between two steps.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from hands import answer, drag, key, made, press, shoot, view
from inside import main, tell, wait
from qgis.core import QgsPointXY, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.utils import iface, plugins

_POLYGONS = 6  # of each class
_PAUSE = float(os.environ.get("BDGF_TEST_PAUSE", "0"))


def on_screen(place: QgsPointXY) -> QPoint:
    pixel = iface.mapCanvas().getCoordinateTransform().transform(place)
    return QPoint(round(pixel.x()), round(pixel.y()))


def outlines(path: Path) -> dict[int, tuple[str, list[Any]]]:
    """Names and outlines of what is drawn, by class code: polygons of the demo scene that are well inside the view."""
    layer = QgsVectorLayer(str(path), "wanted", "ogr")
    found: dict[int, tuple[str, list[Any]]] = {}
    for feature in sorted(layer.getFeatures(), key=lambda one: -one.geometry().area()):
        _, shapes = found.setdefault(feature["class_id"], (feature["class_name"], []))
        ring = (
            feature.geometry().asPolygon()[0]
            if not feature.geometry().isMultipart()
            else (feature.geometry().asMultiPolygon()[0][0])
        )
        pixels = [on_screen(place) for place in ring]
        if len(shapes) < _POLYGONS and all(view().rect().adjusted(4, 4, -4, -4).contains(pixel) for pixel in pixels):
            shapes.append(pixels)
    return dict(sorted(found.items()))


def act() -> None:
    begun = time.monotonic()
    folder = Path(os.environ["BDGF_TEST_SCENE"])
    for name in ("dsm", "optical"):
        QgsProject.instance().addMapLayer(QgsRasterLayer(str(folder / f"{name}.tif"), name))
    iface.mapCanvas().zoomToFullExtent()
    menu = plugins["bdgf"].additions.menu
    menu.toggle.trigger()
    made["clicks"] += 1
    dock = menu.dock
    wait(lambda: False, 1)
    press(dock.scene.new)
    wanted = outlines(folder / "training.gpkg")
    for name, _ in wanted.values():
        answer(name, lambda: press(dock.classes.add))
        made["keys"] += len(name)
    key(Qt.Key.Key_L)
    for number, (_, shapes) in enumerate(wanted.values()):
        key(Qt.Key.Key_1 + number)
        for pixels in shapes:
            drag(pixels)
            wait(lambda: False, _PAUSE + 0.02)
    drawn = time.monotonic()
    wait(lambda: bool(dock.statistics.pairs.topLevelItemCount()), 10)
    shoot("drawn")
    ended: list[Any] = []
    dock.rounds.ended.connect(lambda well, text: ended.append([well, text]))
    dock.round.preset.setCurrentText("instant")
    press(dock.round.button)
    wait(lambda: bool(ended), 240)
    shoot("mapped")
    tell(
        "first map",
        ended=ended,
        samples=dock.choice.training.featureCount(),
        drawing=round(drawn - begun, 1),
        mapping=round(time.monotonic() - drawn, 1),
        map=dock.rounds.history[0].map,
        **made,
    )


main(act)
