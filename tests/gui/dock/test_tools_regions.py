"""Growing and segments on a real canvas, with a real mouse and a real worker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtTest import QTest

from bdgf.bdgf_qgis.gui.dock.tools.grow import GrowTool
from bdgf.bdgf_qgis.gui.dock.tools.region_tool import RegionTool
from bdgf.bdgf_qgis.gui.dock.tools.segment import SegmentTool
from bdgf.bdgf_qgis.workflows.raster_inputs import Rasters, rasters_of_layers
from bdgf.bdgf_qgis.workflows.region_finder import RegionFinder
from bdgf.bdgf_qgis.workflows.regions import Growth
from bdgf.tests.gui.dock.region_hand import ALT, NORTH, RIGHT, SHIFT, WEST, Hand, hand_of, metres, soon
from bdgf.tests.raster.helpers import UTM, write_raster

FIELD, OTHER, NOTHING = (800, 900), (2000, 900), (50, 50)  # metres east and south of the corner


@pytest.fixture
def scene(qgis_app: Any, tmp_path: Path) -> Rasters:
    """Two fields of 800 x 1000 m, from 400 and from 1600 m east, in an image of 10 m and a surface of 20 m."""
    random = np.random.default_rng(1)
    image, surface = random.normal(100, 2, (3, 300, 400)), random.normal(50, 0.1, (151, 201))
    for column in (40, 160):
        image[:, 40:140, column : column + 80] += 60
        surface[20:71, column // 2 : column // 2 + 41] += 3
    image[:, :20, :20] = 0
    write_raster(tmp_path / "image.tif", image.astype(np.uint16), (WEST, 10, 0, NORTH, 0, -10), UTM, 0)
    write_raster(tmp_path / "surface.tif", surface.astype(np.float32), (WEST - 7, 20, 0, NORTH + 9, 0, -20), UTM)
    return rasters_of_layers([QgsRasterLayer(str(tmp_path / f"{name}.tif"), name) for name in ("image", "surface")])


@pytest.fixture
def canvas(qgis_app: Any) -> Iterator[QgsMapCanvas]:
    made = QgsMapCanvas()
    made.resize(800, 600)
    made.setDestinationCrs(QgsCoordinateReferenceSystem.fromEpsgId(UTM))
    made.setExtent(QgsRectangle(WEST - 200, NORTH - 3100, WEST + 4200, NORTH + 100))
    made.show()
    QTest.qWait(20)
    yield made
    made.deleteLater()
    QTest.qWait(1)


@pytest.fixture
def finder(qgis_app: Any) -> Iterator[RegionFinder]:
    made = RegionFinder()
    yield made
    made.close()


@pytest.fixture(params=[GrowTool, SegmentTool])
def kind(request: pytest.FixtureRequest) -> type[RegionTool]:
    found: type[RegionTool] = request.param
    return found


@pytest.fixture
def grow(canvas: QgsMapCanvas, finder: RegionFinder, scene: Rasters) -> Iterator[Hand]:
    hand = hand_of(GrowTool, canvas, finder, scene)
    yield hand
    hand.tool.close()


@pytest.fixture
def segment(canvas: QgsMapCanvas, finder: RegionFinder, scene: Rasters) -> Iterator[Hand]:
    hand = hand_of(SegmentTool, canvas, finder, scene)
    yield hand
    hand.tool.close()


def test_press_drag_and_let_go(grow: Hand) -> None:
    grow.press(FIELD)
    grow.move(FIELD, -200)
    assert soon(lambda: not grow.shown().isEmpty())
    small = grow.shown().area()
    grow.move(FIELD, 90)
    assert soon(lambda: grow.shown().area() > 10 * small), "more of the field the further to the right"
    assert grow.drawn == []
    grow.release(FIELD, 90)
    assert soon(lambda: bool(grow.drawn))
    assert grow.box() == pytest.approx((400, 400, 1200, 1400), abs=25)
    geometry, crs = grow.drawn[0]
    assert crs.postgisSrid() == UTM and geometry.isGeosValid() and not geometry.isMultipart()
    assert geometry.area() > 0.9 * 800 * 1000
    assert grow.shown().isEmpty() and grow.failed == []


def test_who_drags_without_a_rest_sees_outlines(grow: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Growth.outline

    def slow(growth: Growth, tolerance: float) -> bytes:
        time.sleep(0.06)
        return quick(growth, tolerance)

    monkeypatch.setattr(Growth, "outline", slow)
    grow.press(FIELD)
    assert soon(lambda: not grow.shown().isEmpty())
    seen = []
    for right in range(-300, 0, 5):
        grow.move(FIELD, right)
        QTest.qWait(10)
        seen.append(grow.shown().area())
    assert len(set(seen)) > 4


def test_clicks_take_the_last_tolerance_and_none_is_lost(grow: Hand) -> None:
    grow.press(FIELD)
    grow.release(FIELD, 90)
    grow.click(OTHER)
    assert soon(lambda: len(grow.drawn) == 2)
    assert grow.box(0) == pytest.approx((400, 400, 1200, 1400), abs=25)
    assert grow.box(1) == pytest.approx((1600, 400, 2400, 1400), abs=25)


def test_shift_adds_alt_cuts_backspace_takes_back_and_the_other_button_ends(grow: Hand) -> None:
    grow.tool.tolerance = 1.0  # type: ignore[attr-defined]
    grow.click(FIELD, SHIFT)
    grow.click(OTHER, SHIFT)
    assert soon(lambda: grow.shown().area() > 1.8 * 800 * 1000)
    grow.click(FIELD, ALT)
    assert soon(lambda: grow.shown().area() < 1.1 * 800 * 1000)
    grow.tool.take_back()
    assert grow.shown().area() > 1.8 * 800 * 1000
    assert grow.drawn == []
    grow.canvas.unsetMapTool(grow.tool)
    grow.canvas.setMapTool(grow.tool)  # as after panning
    grow.click(OTHER, button=RIGHT)
    assert len(grow.drawn) == 1 and grow.shown().isEmpty()
    assert grow.box() == pytest.approx((400, 400, 2400, 1400), abs=25)
    grow.click(FIELD, ALT)
    assert "press with Shift first" in grow.failed[0]
    grow.click(FIELD, SHIFT)
    assert soon(lambda: grow.shown().area() > 0.9 * 800 * 1000)
    grow.click(OTHER)
    assert len(grow.drawn) == 2, "a press without a key ends the open region"
    assert soon(lambda: len(grow.drawn) == 3)


def test_escape_gives_up(grow: Hand) -> None:
    grow.press(FIELD)
    assert soon(lambda: not grow.shown().isEmpty())
    grow.tool.give_up()
    grow.release(FIELD)
    grow.click(FIELD, SHIFT)
    grow.tool.give_up()
    assert not soon(lambda: bool(grow.drawn) or not grow.shown().isEmpty(), 0.8)


def test_weights_and_largest_size(grow: Hand) -> None:
    tool = grow.tool
    assert isinstance(tool, GrowTool)
    tool.tolerance = 1.0
    tool.set_largest(1000)
    grow.click(FIELD)
    assert soon(lambda: len(grow.drawn) == 1)
    assert grow.drawn[0][0].area() <= 1000 * 100 * 1.02
    tool.set_weights((0.0, 0.0))
    grow.click(FIELD)
    assert soon(lambda: len(grow.failed) == 1) and "needs a weight" in grow.failed[0]


def test_a_segment_is_outlined_and_clicked(segment: Hand) -> None:
    segment.tool.set_scale(40)  # type: ignore[attr-defined]
    segment.move(FIELD, buttons=Qt.MouseButton.NoButton)
    assert soon(lambda: not segment.shown().isEmpty()), "as soon as there are segments"
    first = segment.shown()
    assert 390 <= metres(first)[0] and metres(first)[2] <= 1210
    segment.move(OTHER, buttons=Qt.MouseButton.NoButton)
    assert soon(lambda: not segment.shown().isEmpty() and not segment.shown().intersects(first))
    segment.move(FIELD, buttons=Qt.MouseButton.NoButton)
    segment.click(FIELD)
    assert soon(lambda: bool(segment.drawn))
    assert segment.box() == pytest.approx(metres(first), abs=1)
    segment.click(FIELD, SHIFT)
    segment.click(OTHER, SHIFT)
    assert soon(lambda: len(segment.tool._steps) == 2)
    segment.click(OTHER, button=RIGHT)
    assert len(segment.drawn) == 2 and segment.drawn[1][0].isMultipart()


@pytest.mark.parametrize("method", ["slic", "felzenszwalb"])
def test_a_click_before_segments_are_made(segment: Hand, method: str) -> None:
    segment.tool.set_method(method)  # type: ignore[attr-defined]
    segment.click(FIELD)
    segment.click(NOTHING)
    assert segment.drawn == []
    assert soon(lambda: bool(segment.drawn) and bool(segment.failed))
    assert segment.failed == ["There is no segment at this place: click where all rasters have data."]


def test_other_reference_system_and_a_turned_canvas(
    kind: type[RegionTool], canvas: QgsMapCanvas, finder: RegionFinder, scene: Rasters
) -> None:
    extent = QgsRectangle(WEST - 200, NORTH - 3100, WEST + 4200, NORTH + 100)
    here = QgsCoordinateReferenceSystem("EPSG:4326")
    there = QgsCoordinateReferenceSystem.fromEpsgId(UTM)
    canvas.setDestinationCrs(here)
    canvas.setExtent(QgsCoordinateTransform(there, here, QgsProject.instance()).transformBoundingBox(extent))
    canvas.setRotation(35)
    hand = hand_of(kind, canvas, finder, scene)
    if isinstance(hand.tool, GrowTool):
        hand.tool.tolerance = 1.0
    hand.press(FIELD)
    hand.move(FIELD)
    assert soon(lambda: not hand.shown().isEmpty() or bool(hand.drawn))
    hand.release(FIELD)
    assert soon(lambda: bool(hand.drawn))
    assert hand.drawn[0][1].postgisSrid() == UTM
    left, top, right, low = hand.box()
    assert left < 800 < right and top < 900 < low and left >= 380 and right <= 1220
    hand.tool.close()


def test_rasters_without_a_reference_system(
    kind: type[RegionTool], canvas: QgsMapCanvas, finder: RegionFinder, tmp_path: Path
) -> None:
    image = np.zeros((60, 80), np.float32)
    image[20:40, 30:60] = 5
    write_raster(tmp_path / "plain.tif", image, None, None)
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem())
    canvas.setExtent(QgsRectangle(0, -60, 80, 0))
    hand = hand_of(kind, canvas, finder, rasters_of_layers([QgsRasterLayer(str(tmp_path / "plain.tif"), "plain")]))
    at = canvas.mapSettings().mapToPixel().transform(45, -30).toQPointF().toPoint()
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert soon(lambda: bool(hand.drawn)) and hand.failed == []
    geometry, crs = hand.drawn[0]
    assert not crs.isValid()
    box = geometry.boundingBox()
    assert 30 <= box.xMinimum() and box.xMaximum() <= 60 and -40 <= box.yMinimum() and box.yMaximum() <= -20
    hand.tool.close()


def test_the_same_scene_again_changes_nothing(grow: Hand, scene: Rasters, finder: RegionFinder) -> None:
    grow.tool.tolerance = 1.0  # type: ignore[attr-defined]
    grow.click(FIELD, SHIFT)
    assert soon(lambda: not grow.shown().isEmpty())
    session = finder._session
    grow.tool.set_scene(replace(scene))
    assert not grow.shown().isEmpty()
    grow.click(OTHER, SHIFT)
    assert soon(lambda: grow.shown().area() > 1.8 * 800 * 1000) and finder._session is session
    grow.tool.set_weights((1.0, 2.0))
    grow.tool.set_scene(replace(scene, modalities=scene.modalities[:1]))
    assert grow.shown().isEmpty() and grow.tool.weights == ()


def test_places_outside_and_without_data(
    kind: type[RegionTool], canvas: QgsMapCanvas, finder: RegionFinder, scene: Rasters
) -> None:
    hand = hand_of(kind, canvas, finder, scene)
    hand.click((-100, 900))
    assert soon(lambda: len(hand.failed) == 1)
    hand.click(NOTHING)
    assert soon(lambda: len(hand.failed) == 2)
    canvas.setExtent(QgsRectangle(0, 0, 1000, 1000))
    hand.click((-WEST + 500, NORTH - 500))
    assert soon(lambda: len(hand.failed) == 3) and "not visible here" in hand.failed[2]
    hand.tool.set_scene(None)
    hand.click(FIELD)
    assert "no rasters to find regions on" in hand.failed[3]
    assert hand.drawn == []
    hand.tool.close()


def test_files_that_are_gone(
    kind: type[RegionTool], canvas: QgsMapCanvas, finder: RegionFinder, scene: Rasters
) -> None:
    os.unlink(scene.modalities[1].path)
    hand = hand_of(kind, canvas, finder, scene)
    hand.click(FIELD)
    assert soon(lambda: len(hand.failed) == 1) and "'surface'" in hand.failed[0]
    hand.tool.close()


def test_worker_killed_in_the_middle(grow: Hand, finder: RegionFinder) -> None:
    grow.tool.tolerance = 1.0  # type: ignore[attr-defined]
    grow.click(FIELD)
    assert soon(lambda: len(grow.drawn) == 1)
    session = finder._session
    assert session is not None and session._worker is not None and session._worker.process_id is not None
    os.kill(session._worker.process_id, signal.SIGSTOP)
    grow.click(OTHER)
    QTest.qWait(200)
    os.kill(session._worker.process_id, signal.SIGKILL)
    assert soon(lambda: len(grow.drawn) == 2) and grow.failed == []


def test_closed_in_the_middle(
    kind: type[RegionTool], canvas: QgsMapCanvas, finder: RegionFinder, scene: Rasters
) -> None:
    import threading

    hand = hand_of(kind, canvas, finder, scene)
    hand.click(FIELD)
    assert soon(lambda: finder._session is not None and finder._session._worker is not None)
    worker = finder._session._worker  # type: ignore[union-attr]
    began = time.monotonic()
    hand.tool.close()
    finder.close()
    assert time.monotonic() - began < 4
    assert not any(thread.name == "bdgf-regions" for thread in threading.enumerate())
    assert worker is not None and not worker.running and not worker.workspace.path.exists()
    assert not soon(lambda: bool(hand.drawn or hand.failed), 0.3)
    assert canvas.mapTool() is not hand.tool


def test_the_canvas_goes_first(finder: RegionFinder, scene: Rasters, kind: type[RegionTool]) -> None:
    canvas = QgsMapCanvas()
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem.fromEpsgId(UTM))
    canvas.resize(QSize(300, 200))
    canvas.setExtent(QgsRectangle(WEST, NORTH - 3000, WEST + 4000, NORTH))
    hand = hand_of(kind, canvas, finder, scene)
    hand.click(FIELD)
    canvas.deleteLater()
    QTest.qWait(1500)
    finder.close()
    assert hand.drawn == []
