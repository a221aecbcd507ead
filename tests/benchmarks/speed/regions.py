"""How long growing and segments take on a canvas, from mouse event to outline, and how long the window stands still.

python -m tests.benchmarks.speed.regions    # a minute; prints a table for docs/performance.md
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from osgeo import gdal, osr

import bdgf.tests.home  # noqa: F401  # a home for QGIS that is removed at the end
from bdgf.tests.benchmarks.speed.scene import write_scene

_SIDE = 4000  # of the scene, pixels of 10 m
_ROUNDS = 9


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    asked = argparse.ArgumentParser("python -m tests.benchmarks.speed.regions", description=__doc__.partition("\n")[0])
    asked.add_argument("--canvas", nargs=2, type=int, default=(1500, 900), help="width and height, pixels")
    options = asked.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from qgis.core import QgsApplication

    application = QgsApplication([], True)
    application.initQgis()
    with tempfile.TemporaryDirectory(prefix="bdgf-speed-") as folder:
        print(measure(Path(folder), *options.canvas))
    return 0


def write_surface(path: Path) -> None:
    """A second raster, of pixels of 20 m that lie across those of the first."""
    side = _SIDE // 2
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), side, side, 1, gdal.GDT_Float32, ["TILED=YES"])
    system = osr.SpatialReference()
    system.ImportFromEPSG(32632)
    dataset.SetProjection(system.ExportToWkt())
    dataset.SetGeoTransform((500_003, 20, 0, 5_500_004, 0, -20))
    row, column = np.mgrid[:side, :side]
    dataset.GetRasterBand(1).WriteArray((np.sin(row / 70) * np.cos(column / 90) * 20).astype(np.float32))
    dataset = None


def measure(folder: Path, width: int, height: int) -> str:
    """The table."""
    from qgis.core import QgsCoordinateReferenceSystem, QgsRasterLayer, QgsRectangle
    from qgis.gui import QgsMapCanvas
    from qgis.PyQt.QtCore import QCoreApplication, QPoint, Qt
    from qgis.PyQt.QtTest import QTest

    from bdgf.bdgf_qgis.gui.dock.tools.grow import GrowTool
    from bdgf.bdgf_qgis.gui.dock.tools.segment import SegmentTool
    from bdgf.bdgf_qgis.workflows.raster_inputs import rasters_of_layers
    from bdgf.bdgf_qgis.workflows.region_finder import RegionFinder

    write_scene(folder / "image.tif", _SIDE)
    write_surface(folder / "surface.tif")
    rasters = rasters_of_layers([QgsRasterLayer(str(folder / f"{name}.tif"), name) for name in ("image", "surface")])
    canvas, finder = QgsMapCanvas(), RegionFinder()
    canvas.resize(width + 2, height + 2)
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:32632"))
    canvas.show()
    grow, segment = GrowTool(canvas, finder), SegmentTool(canvas, finder)
    for tool in (grow, segment):
        tool.set_scene(rasters)
        tool.failed.connect(print)
    longest = [0.0]

    def until(done: Callable[[], Any]) -> float:
        """Seconds until something is so; the longest time that events waited is noted."""
        began = time.perf_counter()
        while not done():
            last = time.perf_counter()
            QCoreApplication.processEvents()
            longest[0] = max(longest[0], time.perf_counter() - last)
            time.sleep(0.001)
        return time.perf_counter() - began

    def show(zoom: float, number: int = 0) -> None:
        """As many pixels of the grid along a pixel of the canvas; another part for each number."""
        west, north = 500_000 + 2000 + 7500 * number, 5_500_000 - 2000
        canvas.setExtent(QgsRectangle(west, north - height * 10 * zoom, west + width * 10 * zoom, north))

    def ready() -> float:
        """Seconds until what is visible was read."""
        finder.look(grow.sight(), grow)
        return until(lambda: not finder._thread.busy)

    places = [QPoint(width * (2 + place) // 14, height * (2 + place) // 14) for place in range(_ROUNDS)]

    def press(place: QPoint) -> float:
        QTest.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        grow._draw(grow._presses[-1])
        taken = until(lambda: grow._presses[-1].growth is not None)
        grow.give_up()
        return taken

    rows: list[tuple[str, list[float]]] = []
    canvas.setMapTool(grow)
    show(1.0)
    rows.append(("first look: the worker starts, the extent is read", [ready()]))
    reads = []
    for number in range(1, 4):
        show(1.0, number)
        reads.append(ready())
    rows.append(("another extent is read", reads))
    press(places[0])
    for largest, words in ((20_000, "20,000"), (100_000, "100,000"), (10**7, "any number of")):
        grow.set_largest(largest)
        rows.append((f"press: tolerances of a region of up to {words} pixels", [press(place) for place in places]))
    grow.set_largest(100_000)
    drags = []
    for place in places:
        drawn: list[Any] = []
        grow.drawn.connect(lambda *sample, into=drawn: into.append(sample))
        QTest.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        until(lambda: grow._presses[-1].growth is not None)
        QTest.mouseRelease(
            canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place + QPoint(100, 0)
        )
        drags.append(until(lambda found=drawn: bool(found)))
    rows.append(("let go: outline of the region, the sample is there", drags))
    canvas.setMapTool(segment)
    for method in ("slic", "felzenszwalb"):
        segment.set_method(method)
        segment._look_again()
        until(lambda: segment._segments is not None)
        made = []
        for scale in (20, 25, 30):
            segment.set_scale(scale)
            segment._look_again()
            made.append(until(lambda: segment._segments is not None))
        rows.append((f"superpixels of an extent, {method}", made))
    clicks = []
    for place in places:
        taken: list[Any] = []
        segment.drawn.connect(lambda *sample, into=taken: into.append(sample))
        QTest.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        clicks.append(until(lambda found=taken: bool(found)))
    rows.append(("click on a superpixel: the sample is there", clicks))
    for tool in (grow, segment):
        tool.close()
    finder.close()
    lines = [f"| {words} | {median(times) * 1000:.0f} | {max(times) * 1000:.0f} |" for words, times in rows]
    lines.append(f"| the longest that the window stood still meanwhile | | {longest[0] * 1000:.0f} |")
    return "\n".join(["| what | median, ms | longest, ms |", "| --- | --- | --- |", *lines])


if __name__ == "__main__":
    raise SystemExit(main())
