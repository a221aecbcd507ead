"""Samples drawn from the training polygons: a hold-out to choose by, and scarce labels.

Every draw depends on its number alone, so that all methods see the same samples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from osgeo import ogr

from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon
from bdgf.tests.benchmarks.accuracy.scene import CLASS_FIELD, Samples

SHARE = 0.4  # of a class's polygons, or of its only polygon's area


def hold_out(samples: Samples, draw: int, share: float = SHARE) -> tuple[Samples, Samples]:
    """Samples to train on and samples to measure with.

    Of a class with at least two polygons a share of the polygons is measured with, at least one; an only polygon is
    cut across its longer axis.
    """
    training: list[Polygon] = []
    measured: list[Polygon] = []
    for code, polygons in _by_class(samples).items():
        random = np.random.default_rng([draw, code])
        if len(polygons) == 1:
            kept, given = _cut(polygons[0], share, bool(random.integers(2)))
            training.append(kept)
            measured.append(given)
            continue
        count = min(max(1, round(share * len(polygons))), len(polygons) - 1)
        chosen = set(random.permutation(len(polygons))[:count].tolist())
        for place, each in enumerate(polygons):
            (measured if place in chosen else training).append(each)
    return replace(samples, polygons=tuple(training)), replace(samples, polygons=tuple(measured))


def scarce(samples: Samples, labels: str, draw: int, stack: ModalityStack) -> Samples:
    """Few labels: '10px' draws pixels a class at random over its polygons, '2poly' whole polygons; '' takes all.

    A drawn pixel becomes a square polygon of its own, so that it goes the same way as any drawn polygon. A class that
    has fewer gives all it has. Raises ValueError where `labels` is of no such form.
    """
    if not labels:
        return samples
    count, unit = amount(labels)
    return (_few_pixels if unit == "px" else _few_polygons)(samples, count, draw, stack)


def amount(labels: str) -> tuple[int, str]:
    """Number and unit of '10px' or '2poly'. Raises ValueError for any other text."""
    found = re.fullmatch(r"([1-9]\d*)(px|poly)", labels)
    if found is None:
        raise ValueError(f"{labels}: labels a class are given as in 10px or 2poly.")
    return int(found[1]), found[2]


def _few_polygons(samples: Samples, count: int, draw: int, _: ModalityStack) -> Samples:
    chosen: list[Polygon] = []
    for code, polygons in _by_class(samples).items():
        order = np.random.default_rng([draw, code]).permutation(len(polygons))[:count]
        chosen += [polygons[place] for place in sorted(order.tolist())]
    return replace(samples, polygons=tuple(chosen))


def _few_pixels(samples: Samples, count: int, draw: int, stack: ModalityStack) -> Samples:
    labels = rasterise_labels(stack, samples.polygons, samples.crs_wkt, CLASS_FIELD, 0.0)
    polygons: list[Polygon] = []
    for position, each in enumerate(labels.classes):
        points = labels.points[labels.points[:, 2] == position]
        random = np.random.default_rng([draw, each.code])
        for row, column in points[random.permutation(len(points))[:count], :2].tolist():
            wkb = square(stack.grid.transform, row, column)
            polygons.append(Polygon(len(polygons) + 1, wkb, each.code, each.name))
    return Samples(tuple(polygons), stack.grid.wkt)


def _by_class(samples: Samples) -> dict[int, list[Polygon]]:
    found: dict[int, list[Polygon]] = {}
    for each in samples.polygons:
        found.setdefault(int(each.value), []).append(each)  # type: ignore[arg-type]
    return dict(sorted(found.items()))


def _cut(polygon: Polygon, share: float, from_low: bool) -> tuple[Polygon, Polygon]:
    """What stays and what is given away: `share` of the area at one end of the longer axis."""
    geometry = ogr.CreateGeometryFromWkb(polygon.wkb)
    west, east, south, north = geometry.GetEnvelope()
    along_x = east - west >= north - south
    low, high = (west, east) if along_x else (south, north)

    def below(place: float) -> ogr.Geometry:
        return geometry.Intersection(_box(west, south, *((place, north) if along_x else (east, place))))

    wanted = (share if from_low else 1 - share) * geometry.GetArea()
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle).GetArea() < wanted else (low, middle)
    first = below(high)
    second = geometry.Difference(_box(west, south, *((high, north) if along_x else (east, high))))
    parts = [replace(polygon, wkb=bytes(each.ExportToWkb())) for each in (first, second)]
    return (parts[1], parts[0]) if from_low else (parts[0], parts[1])


def _box(west: float, south: float, east: float, north: float) -> ogr.Geometry:
    return _surface([(west, south), (east, south), (east, north), (west, north)])


def square(transform: Sequence[float], row: int, column: int) -> bytes:
    """The outline of a pixel, in map coordinates."""
    west, wide, _, north, _, high = transform
    x, y = west + column * wide, north + row * high
    return bytes(_box(x, y + high, x + wide, y).ExportToWkb())


def _surface(corners: Sequence[tuple[float, float]]) -> ogr.Geometry:
    ring = ogr.Geometry(ogr.wkbLinearRing)
    for x, y in (*corners, corners[0]):
        ring.AddPoint_2D(x, y)
    surface = ogr.Geometry(ogr.wkbPolygon)
    surface.AddGeometry(ring)
    return surface
