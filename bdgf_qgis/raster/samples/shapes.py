"""Polygons as the rasteriser needs them: repaired, in the grid's CRS, in pixel coordinates."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np
from osgeo import ogr

from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..gdal_calls import gdal_errors
from ..grid import Grid, Window
from ..reading.projection import near, transformation, turn_of, turned
from ..texts import counted, listed

Value = Union[int, float, str, None]
Rings = list[list[np.ndarray]]  # parts, of rings (n, 2): the first of a part is its outer one
ROLES = TRAIN, VALIDATE, IGNORE = ("train", "validate", "ignore")  # what a polygon is drawn for


@dataclass(frozen=True)
class Polygon:
    """A drawn polygon.

    fid    the feature's id, for messages
    wkb    its geometry, any kind of polygon
    value  what the class field says; None without a class
    name   what the name field says, where there is one
    role   what it is for, one of ROLES
    """

    fid: int
    wkb: bytes
    value: Value = None
    name: Optional[str] = None
    role: str = TRAIN


@dataclass(frozen=True, eq=False)
class Shape:
    """A polygon in pixel coordinates of the grid: (0, 0) is the corner of the first pixel, x along columns.

    edges     (E, 4) x and y of each edge's two ends, of all rings
    bounds    lowest x, lowest y, highest x, highest y
    geometry  the same as an OGR geometry
    """

    fid: int
    edges: np.ndarray
    bounds: tuple[float, float, float, float]
    geometry: Any

    @property
    def window(self) -> Window:
        """All pixels that it touches."""
        left, top, right, bottom = (int(np.floor(bound)) for bound in self.bounds)
        return Window(top, left, bottom - top + 1, right - left + 1)


@dataclass(frozen=True)
class Shapes:
    """Usable polygons and what became of the others.

    shapes    in the order of the polygons
    places    position of each shape in the list of polygons
    repaired  ids of polygons whose geometry was repaired
    skipped   ids of polygons that are left out, with the reason
    """

    shapes: tuple[Shape, ...]
    places: tuple[int, ...]
    repaired: tuple[int, ...]
    skipped: tuple[tuple[int, str], ...]

    def notes(self, without_class: int = 0, conflicts: int = 0, thin: int = 0) -> list[str]:
        """Sentences on what became of polygons that are not simply used.

        Args:
            without_class: number of polygons that are left out since they have none.
            conflicts: number of pixels that polygons of two classes cover.
            thin: number of polygons that hold no pixel centre.
        """
        lines = []
        if without_class:
            lines.append(f"{counted(without_class, 'polygon')} without a class left out.")
        if self.repaired:
            lines.append(f"Broken geometry repaired in polygons {listed(self.repaired)}.")
        for reason in dict.fromkeys(reason for _, reason in self.skipped):
            left_out = [fid for fid, why in self.skipped if why == reason]
            lines.append(f"Polygons left out ({reason}): {listed(left_out)}.")
        if thin:
            lines.append(f"{counted(thin, 'polygon')} too thin to hold a pixel centre: the pixels touched are used.")
        if conflicts:
            lines.append(f"{counted(conflicts, 'pixel')} claimed by two classes left out.")
        return lines


def shapes_of(polygons: Iterable[Polygon], wkt: str, grid: Grid, feedback: Feedback = SILENT) -> Shapes:
    """Polygons, whose coordinates are in the CRS `wkt`, on a grid; '' takes the coordinates as they are.

    Raises RasterError where no transformation between the two CRSs is known, and RunCancelled where `feedback`
    says so.
    """
    found = transformation(wkt, grid.wkt, "The polygons cannot be brought to the CRS of the rasters")
    turn = turn_of(grid.wkt) if wkt else 0.0
    shapes, places, repaired, skipped = [], [], [], []
    for place, polygon in enumerate(polygons):
        feedback.check()
        geometry, reason, mended = _usable(polygon.wkb)
        parts = _rings(geometry) if geometry is not None else []
        if geometry is not None and found is not None:
            if _project(geometry, found):
                parts = _unbroken(_rings(geometry), parts, found, turn_of(wkt), turn) if turn else _rings(geometry)
            else:
                reason = "outside the area of the rasters' coordinate reference system"
        if reason:
            skipped.append((polygon.fid, reason))
            continue
        if mended:
            repaired.append(polygon.fid)
        shapes.append(_shape(polygon.fid, _parts_on(parts, grid, turn) if turn else parts, grid))
        places.append(place)
    return Shapes(tuple(shapes), tuple(places), tuple(repaired), tuple(skipped))


def outlines(wkb: bytes, found: Any = None) -> list[np.ndarray]:
    """The rings (n, 2) of a drawn polygon as they are, unrepaired; none where it is no polygon.

    found  an osr transformation of its coordinates, None leaves them; without an answer there are no rings either
    """
    geometry = _parsed(wkb)
    try:
        with gdal_errors("geometry"):
            flat = geometry.GetLinearGeometry() if geometry is not None else None
            if flat is None:
                return []
            flat.FlattenTo2D()
            flat.CloseRings()
            surfaces = _surfaces(flat)
    except RasterError:
        return []
    if surfaces is None or (found is not None and not _project(surfaces, found)):
        return []
    return [ring for part in _rings(surfaces) for ring in part]


def _usable(wkb: bytes) -> tuple[Any, str, bool]:
    """A flat, valid OGR polygon or multipolygon, why there is none, and whether it was repaired."""
    geometry = _parsed(wkb)
    if geometry is None or geometry.IsEmpty():
        return None, "no geometry", False
    try:
        with gdal_errors("geometry"):
            geometry = geometry.GetLinearGeometry()
            geometry.FlattenTo2D()
            geometry.CloseRings()
            if _surfaces(geometry) is None:
                return None, "not a polygon", False
            if geometry.IsValid():
                return _surfaces(geometry), "", False
            mended = geometry.MakeValid()
            usable = _surfaces(mended) if mended is not None else None
    except RasterError:
        usable = None
    return (usable, "", True) if usable is not None else (None, "broken geometry that cannot be repaired", False)


def _parsed(wkb: bytes) -> Any:
    try:
        with gdal_errors("geometry"):
            return ogr.CreateGeometryFromWkb(wkb) if wkb else None
    except RasterError:
        return None


def _surfaces(geometry: Any) -> Any:
    """The polygons of a geometry as one multipolygon; None where there is none with an area."""
    result = ogr.Geometry(ogr.wkbMultiPolygon)
    for part in _leaves(geometry):
        if ogr.GT_Flatten(part.GetGeometryType()) == ogr.wkbPolygon and not part.IsEmpty():
            result.AddGeometry(part)
    return None if result.IsEmpty() else result


def _leaves(geometry: Any) -> Iterable[Any]:
    kind = ogr.GT_Flatten(geometry.GetGeometryType())
    if kind in (ogr.wkbMultiPolygon, ogr.wkbGeometryCollection, ogr.wkbMultiSurface):
        for number in range(geometry.GetGeometryCount()):
            yield from _leaves(geometry.GetGeometryRef(number))
    else:
        yield geometry


def _project(geometry: Any, found: Any) -> bool:
    try:
        with gdal_errors("geometry"):
            done = geometry.Transform(found) == 0
    except RasterError:
        return False
    return done and bool(np.isfinite(geometry.GetEnvelope()).all())


def _unbroken(parts: Rings, before: Rings, found: Any, turn_before: float, turn: float) -> Rings:
    """Projected parts whose longitudes go on across the date line."""

    def mended(ring: np.ndarray, points: np.ndarray) -> np.ndarray:
        if turn_before:
            return np.column_stack([near(ring[:, 0], points[:, 0] * turn / turn_before, turn), ring[:, 1]])
        return _unbroken_ring(ring, points, found, turn)

    with gdal_errors("geometry"):
        return [[mended(*pair) for pair in zip(*both)] for both in zip(parts, before)]


def _unbroken_ring(ring: np.ndarray, before: np.ndarray, found: Any, turn: float) -> np.ndarray:
    """A projected ring (n, 2) that goes on across the date line instead of around the world.

    Args:
        ring: longitudes and latitudes.
        before: the same points in the projected CRS that they come from.
        found: the transformation between the two.
        turn: in the units of the longitudes.
    """
    jumps = np.diff(ring[:, 0])
    steps = np.zeros(len(ring))
    for place in np.nonzero(np.abs(jumps) > turn / 2)[0].tolist():
        middle = found.TransformPoint(*((before[place] + before[place + 1]) / 2).tolist())[0]
        if abs(middle - (ring[place, 0] + ring[place + 1, 0]) / 2) > turn / 4:  # else the edge is as long as that
            steps[place + 1] = -np.sign(jumps[place])
    steps = np.cumsum(steps)
    if steps[-1]:  # around a pole
        return ring
    return np.column_stack([ring[:, 0] + turn * steps, ring[:, 1]])


def _parts_on(parts: Rings, grid: Grid, turn: float) -> Rings:
    """Parts of a polygon moved by whole turns to wherever they overlap with a geographic grid.

    A part that does nowhere stays where it is.
    """
    west, _, east, _ = grid.extent
    moved = []
    for part in parts:
        middle = (part[0][:, 0].min() + part[0][:, 0].max()) / 2
        whole = [part[0], *(_beside(ring, middle, turn) for ring in part[1:])]
        steps = turned(float(part[0][:, 0].min()), float(part[0][:, 0].max()), (west, east), turn)
        moved += [[ring + np.array([step * turn, 0.0]) for ring in whole] if step else whole for step in steps or [0]]
    return moved


def _beside(ring: np.ndarray, middle: float, turn: float) -> np.ndarray:
    """A hole moved by whole turns to its outer ring."""
    own = (ring[:, 0].min() + ring[:, 0].max()) / 2
    step = np.round((middle - own) / turn)
    return ring + np.array([step * turn, 0.0]) if step else ring


def _shape(fid: int, parts: Rings, grid: Grid) -> Shape:
    west, wide, _, north, _, high = grid.transform
    scale, origin = np.array([wide, high]), np.array([west, north])
    parts = [[(ring - origin) / scale for ring in part] for part in parts]
    rings = [ring for part in parts for ring in part]
    edges = np.concatenate([np.hstack([ring[:-1], ring[1:]]) for ring in rings])
    points = np.concatenate(rings)
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return Shape(fid, edges, (left, top, right, bottom), polygon_geometry(parts))


def _rings(geometry: Any) -> Rings:
    """Coordinates of a multipolygon, read from its well-known binary (two dimensions, little-endian)."""
    data = bytes(geometry.ExportToWkb(ogr.wkbNDR))
    (count,) = struct.unpack_from("<I", data, 5)
    place, parts = 9, []
    for _ in range(count):
        (rings,) = struct.unpack_from("<I", data, place + 5)
        place += 9
        part = []
        for _ in range(rings):
            (points,) = struct.unpack_from("<I", data, place)
            part.append(np.frombuffer(data, "<f8", 2 * points, place + 4).reshape(points, 2))
            place += 4 + 16 * points
        parts.append(part)
    return parts


def polygon_geometry(parts: Rings) -> Any:
    """An OGR multipolygon of rings (n, 2)."""
    data = struct.pack("<BII", 1, ogr.wkbMultiPolygon, len(parts))
    for part in parts:
        data += struct.pack("<BII", 1, ogr.wkbPolygon, len(part))
        for ring in part:
            data += struct.pack("<I", len(ring)) + np.ascontiguousarray(ring, "<f8").tobytes()
    return ogr.CreateGeometryFromWkb(data)
