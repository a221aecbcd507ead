"""The dock in the real window: a layer at one click, classes, every tool by its key, undo, and a round."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hands import RIGHT, answer, click, drag, key, press, shoot, view
from inside import main, tell, wait
from qgis.core import QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.utils import iface, plugins


def polygons(layer: Any) -> list[Any]:
    return [[feature["class_id"], feature["role"], round(feature.geometry().area())] for feature in layer.getFeatures()]


def act() -> None:
    menu = plugins["bdgf"].additions.menu
    project = QgsProject.instance()
    folder = Path(os.environ["BDGF_TEST_SCENE"])
    for path in sorted(folder.glob("*.tif")):
        project.addMapLayer(QgsRasterLayer(str(path), path.stem))
    canvas = iface.mapCanvas()
    canvas.zoomToFullExtent()
    menu.toggle.trigger()
    dock = menu.dock
    wait(lambda: False, 1)
    tell("scene", offered=[layer.name() for layer in dock.choice.offered], ticked=len(dock.choice.ticked))
    press(dock.scene.new)
    layer = dock.choice.training
    tell(
        "layer",
        path=layer.source(),
        field=dock.choice.field,
        crs=layer.crs().authid(),
        hint=dock.classes.note.text(),
    )
    for name in ("Water", "Trees", "Grass"):
        answer(name, lambda: press(dock.classes.add))
    tell(
        "classes",
        rows=[[info.code, info.name] for info in dock.classes.model.classes],
    )
    centre = QPoint(view().width() // 2, view().height() // 2)

    def at(x: int, y: int) -> QPoint:
        return QPoint(centre.x() + x, centre.y() + y)

    draws: dict[str, tuple[Any, Callable[[], None]]] = {
        "polygon": (
            Qt.Key.Key_P,
            lambda: [click(at(*place)) for place in ((0, 0), (60, 0), (60, 60))] and click(at(60, 60), RIGHT),
        ),
        "rectangle": (Qt.Key.Key_T, lambda: drag([at(-90, 0), at(-60, 20), at(-40, 50)])),
        "lasso": (Qt.Key.Key_L, lambda: drag([at(0, -100), at(40, -110), at(60, -60), at(20, -50), at(0, -90)])),
        "brush": (Qt.Key.Key_B, lambda: drag([at(-100, -100), at(-60, -100), at(-30, -80)])),
        "pixel": (Qt.Key.Key_O, lambda: click(at(100, 100))),
    }
    draws["grow"] = Qt.Key.Key_G, lambda: drag([at(-150, 130), at(-145, 130), at(-120, 130)])
    draws["segment"] = Qt.Key.Key_S, lambda: click(at(-100, 160))
    for number, (name, (code, draw)) in enumerate(draws.items()):
        key(Qt.Key.Key_1 + number % 3)
        key(code)
        before = polygons(layer)
        draw()
        wait(lambda before=before: len(polygons(layer)) > len(before), 20)
        after = polygons(layer)
        layer.undoStack().undo()
        undone = polygons(layer)
        layer.undoStack().redo()
        tell(
            name,
            added=[one for one in after if one not in before],
            undone=undone == before,
            chosen=dock.drawing.actions[name].isChecked(),
        )
    key(Qt.Key.Key_P)
    for place in ((150, -150), (180, -150), (300, 300)):
        click(at(*place))
    key(Qt.Key.Key_Backspace)
    click(at(180, -120))
    click(at(150, -120))
    before = polygons(layer)
    click(at(150, -120), RIGHT)
    tell("taken back", added=[one for one in polygons(layer) if one not in before])
    click(at(0, 150))
    click(at(50, 150))
    key(Qt.Key.Key_Escape)
    before = polygons(layer)
    click(at(50, 200), RIGHT)
    tell("given up", added=len(polygons(layer)) - len(before))
    layer.selectAll()
    key(Qt.Key.Key_3)
    key(Qt.Key.Key_R)
    tell("reclassified", codes=sorted({one[0] for one in polygons(layer)}))
    layer.undoStack().undo()
    layer.removeSelection()
    model = dock.classes.model
    tell(
        "counts",
        rows=[[model.index(row, column).data() for column in range(3)] for row in range(3)],
    )
    wait(lambda: model.counted, 10)
    tell("statistics", pixels=model.counted, pairs=dock.statistics.pairs.topLevelItemCount())
    shoot("dock")
    dock.live.switch.setChecked(True)
    wait(lambda: dock.live.text.text().startswith("Fitted and mapped"), 120)
    tell("live", text=dock.live.text.text())
    shoot("live")
    iface.mapCanvas().zoomByFactor(0.5)
    wait(lambda: dock.live.text.text().startswith("Mapped in"), 60)
    tell("live again", text=dock.live.text.text())
    dock.live.switch.setChecked(False)
    dock.autosave.save()
    tell("saved", modified=layer.isModified(), editable=layer.isEditable(), written=layer.dataProvider().featureCount())
    map_twice(dock)


def map_twice(dock: Any) -> None:
    """Two rounds; the second map stands where the first stood."""
    ended: list[Any] = []
    dock.rounds.ended.connect(lambda well, text: ended.append([well, text]))
    dock.round.preset.setCurrentText("instant")
    maps = []
    for number in (1, 2):
        begun = time.monotonic()
        press(dock.round.button)
        wait(lambda number=number: len(ended) == number, 60)
        group = QgsProject.instance().layerTreeRoot().findGroup("BDGF")
        shown = [] if group is None else [node.layer().source() for node in group.findLayers()]
        order = [node.name() for node in QgsProject.instance().layerTreeRoot().children()]
        maps += shown
        tell(
            f"round {number}",
            ended=ended[-1:],
            shown=len(shown),
            order=order,
            seconds=round(time.monotonic() - begun, 1),
        )
    history = [[done.preset, done.map in maps, Path(done.report).is_file()] for done in dock.rounds.history]
    tell("history", rounds=history, rows=dock.round.history.topLevelItemCount(), different=len(set(maps)))
    shoot("round")


main(act)
