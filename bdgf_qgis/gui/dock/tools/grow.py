"""Growing: press on a field, drag to the right for more of what is like it or to the left for less, let go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from qgis.gui import QgsMapCanvas, QgsMapMouseEvent
from qgis.PyQt.QtCore import QPoint, Qt

from ....translation import tr
from ....workflows.region_finder import Listener, RegionFinder
from ....workflows.regions import GrowSettings, Growth, Sight
from .region_tool import NEW, RegionTool, geometry_of

_FIRST = 0.5  # deviations between pixels of a region and its first, before anybody dragged
_LEAST, _MOST = 0.02, 15.0
_TWICE = 90  # pixels to drag for twice the tolerance
_OUTLINE = "outline"  # slot in which only the newest outline is drawn


@dataclass
class _Press:
    """A press on the canvas, until its region is a part of a sample.

    way        'new', 'add' or 'cut'
    tolerance  at the press; what the region has once the button is up
    """

    start: QPoint
    way: str
    tolerance: float
    slot: str = ""
    growth: Optional[Growth] = None
    released: bool = False


class GrowTool(RegionTool):
    """Draws the region that grows from a pixel. A click takes the tolerance of the last drag."""

    def __init__(self, canvas: QgsMapCanvas, finder: RegionFinder) -> None:
        super().__init__(canvas, finder)
        self.largest = GrowSettings().largest
        self.tolerance = _FIRST
        self._presses: list[_Press] = []  # the last may still be held

    @staticmethod
    def status_tip() -> str:
        """How it is used, for the status bar."""
        return tr(
            "Press on a field and drag: to the right the region grows, to the left it shrinks; let go and it is a "
            "sample. Shift adds to a region that stays open, Alt or Ctrl cuts from it, a right click ends it."
        )

    def set_largest(self, pixels: int) -> None:
        """The largest size of a region, in pixels of the finest raster."""
        self.largest = max(1, int(pixels))

    def look(self, sight: Sight) -> None:
        """Have what is visible read before the first press."""
        self.finder.look(sight, self)

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        """A region begins."""
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
        press = _Press(event.pos(), way, self.tolerance)
        self._presses.append(press)
        press.slot = self.finder.grow(
            sight,
            place,
            GrowSettings(self.weights, self.largest),
            Listener(self, lambda growth: self._grown(press, growth), lambda text: self._failed(press, text)),
        )

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """The tolerance changes."""
        held = self._held()
        if held is not None:
            self.tolerance = _dragged_to(held, event.pos())
            self._draw(held)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """The region is taken as it is; the other button ends the open one."""
        held = self._held()
        if event.button() == Qt.MouseButton.RightButton and held is None:
            self.commit_open()
        elif event.button() == Qt.MouseButton.LeftButton and held is not None:
            held.tolerance = self.tolerance = _dragged_to(held, event.pos())
            held.released = True
            self._draw(held)

    def stop(self) -> None:
        """Forget the regions that are under way."""
        for press in self._presses:
            self.finder.withdraw(press.slot)
        self._presses.clear()

    def deactivate(self) -> None:
        """Another tool was chosen: what is held is forgotten, what was let go becomes a sample all the same."""
        held = self._held()
        if held is not None:
            self.finder.withdraw(held.slot)
            self._presses.remove(held)
        super().deactivate()

    def _held(self) -> Optional[_Press]:
        return self._presses[-1] if self._presses and not self._presses[-1].released else None

    def _grown(self, press: _Press, growth: Growth) -> None:
        if press in self._presses:
            press.growth = growth
            self._draw(press)

    def _draw(self, press: _Press) -> None:
        growth = press.growth
        if growth is None:
            return
        tolerance, take = (press.tolerance, self._finished) if press.released else (self.tolerance, self._shown)
        slot = self.finder.new_slot(_OUTLINE) if press.released else _OUTLINE
        self.finder.outline(
            slot,
            lambda: growth.outline(tolerance),
            Listener(self, lambda outline: take(press, outline), lambda text: self._failed(press, text)),
        )
        if press.released:
            press.slot = slot

    def _shown(self, press: _Press, outline: bytes) -> None:
        if press is self._held():
            self.show_open(geometry_of(outline), press.way)

    def _finished(self, press: _Press, outline: bytes) -> None:
        if press in self._presses:
            self._presses.remove(press)
            if self._held() is None:
                self.show_open(None, NEW)
            self.take(geometry_of(outline), press.way)

    def _failed(self, press: _Press, text: str) -> None:
        if press in self._presses:
            self._presses.remove(press)
            self.show_open(None, NEW)
            self.failed.emit(text)


def _dragged_to(press: _Press, end: QPoint) -> float:
    factor = 2.0 ** ((end.x() - press.start.x()) / _TWICE)
    return min(max(press.tolerance * factor, _LEAST), _MOST)
