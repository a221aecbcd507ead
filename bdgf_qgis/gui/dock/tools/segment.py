"""Segments: the superpixel under the pointer is outlined, a click takes it."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsMapCanvas, QgsMapMouseEvent
from qgis.PyQt.QtCore import QPoint, Qt

from ....translation import tr
from ....workflows.raster_inputs import Rasters
from ....workflows.region_finder import Listener, RegionFinder
from ....workflows.regions import Segments, SegmentSettings, Sight
from .region_tool import ADD, NEW, RegionTool, geometry_of

METHODS = ("slic", "felzenszwalb")
SMALLEST, LARGEST = 5, 200  # sides of superpixels, in pixels of the screen
_OUTLINE = "segment outline"  # slot in which only the newest outline is drawn


class SegmentTool(RegionTool):
    """Draws superpixels of the visible extent, which are made once for each."""

    def __init__(self, canvas: QgsMapCanvas, finder: RegionFinder) -> None:
        super().__init__(canvas, finder)
        self.method, self.scale = METHODS[0], SegmentSettings().scale
        self._asked: Optional[tuple[Sight, SegmentSettings]] = None
        self._segments: Optional[Segments] = None
        self._clicks: list[tuple[tuple[float, float], str]] = []  # that wait for superpixels
        self._pointer: Optional[QPoint] = None
        self._under = -1  # number of the superpixel that is outlined

    @staticmethod
    def status_tip() -> str:
        """How it is used, for the status bar."""
        return tr(
            "Click a segment and it is a sample. Shift adds segments to a region that stays open, Alt or Ctrl cuts "
            "them from it, a right click ends it."
        )

    def set_scale(self, pixels: int) -> None:
        """The side of a superpixel, about, in pixels of the screen."""
        self.scale = min(max(int(pixels), SMALLEST), LARGEST)
        self._moved()

    def set_method(self, method: str) -> None:
        """How superpixels are made: one of METHODS."""
        if method not in METHODS:
            raise ValueError(f"{method} is none of {METHODS}")
        self.method = method
        self._moved()

    def set_weights(self, weights: tuple[float, ...]) -> None:
        """How much each raster counts, in the order of the scene; () weighs all alike."""
        super().set_weights(weights)
        self._moved()

    def look(self, sight: Sight) -> None:
        """Have superpixels made of what is visible."""
        wanted = sight, SegmentSettings(self.method, self.scale, self.weights)
        if wanted == self._asked:
            return
        self._asked, self._segments, self._under = wanted, None, -1
        self.show_open(None, NEW)
        self.finder.segment(
            *wanted,
            Listener(self, lambda segments: self._made(wanted, segments), lambda text: self._failed(wanted, text)),
        )

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """The superpixel under the pointer is outlined."""
        self._pointer = event.pos()
        self._hover()

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        """A superpixel is taken, as soon as there are any."""
        if event.button() != Qt.MouseButton.LeftButton or self.tell_if_nothing():
            return
        way = self.way_of(event)
        sight = None if way is None else self.sight()
        if way is None or sight is None:
            return
        place = self.place(event.pos())
        if place is None:
            self._tell_nowhere()
            return
        self._clicks.append((place, way))
        self.look(sight)
        if self._segments is not None:
            self._take_clicks(self._segments)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """The other button ends the open region."""
        if event.button() == Qt.MouseButton.RightButton:
            self.commit_open()

    def stop(self) -> None:
        """Forget the clicks that wait."""
        self._clicks.clear()

    def deactivate(self) -> None:
        """Another tool was chosen: what was clicked becomes a sample all the same."""
        self._pointer, self._under = None, -1
        super().deactivate()

    def set_scene(self, rasters: Optional[Rasters]) -> None:
        """Find regions on these rasters; what is open is given up where they are others."""
        if rasters != self._scene:
            self._asked = self._segments = None
        super().set_scene(rasters)

    def _made(self, wanted: tuple[Sight, SegmentSettings], segments: Segments) -> None:
        if wanted == self._asked:
            self._segments = segments
            self._take_clicks(segments)
            self._hover()

    def _failed(self, wanted: tuple[Sight, SegmentSettings], text: str) -> None:
        if wanted == self._asked:
            self._asked = None  # the next click asks again
        if self._clicks:
            self._clicks.clear()
            self.failed.emit(text)

    def _take_clicks(self, segments: Segments) -> None:
        waiting, self._clicks = self._clicks, []
        for (x, y), way in waiting:
            place = segments.place_of(x, y)
            if place is None:
                self.failed.emit(tr("There is no segment at this place: click where all rasters have data."))
            else:
                self._take(segments, place, way)

    def _take(self, segments: Segments, place: tuple[int, int], way: str) -> None:
        self.finder.outline(
            self.finder.new_slot(_OUTLINE),
            lambda: segments.outline(place),
            Listener(self, lambda outline: self.take(geometry_of(outline), way), self.failed.emit),
        )

    def _hover(self) -> None:
        segments, pointer = self._segments, self._pointer
        spot = None if pointer is None or segments is None or not self.isActive() else self.place(pointer)
        place = None if spot is None or segments is None else segments.place_of(*spot)
        number = -1 if place is None or segments is None else int(segments.numbers[place])
        if number == self._under:
            return
        self._under = number
        if place is None or segments is None:
            self.show_open(None, NEW)
            return
        found = segments, place
        self.finder.outline(
            _OUTLINE,
            lambda: found[0].outline(found[1]),
            Listener(self, lambda outline: self._shown(number, outline)),
        )

    def _shown(self, number: int, outline: bytes) -> None:
        if number == self._under:
            self.show_open(geometry_of(outline), ADD)
