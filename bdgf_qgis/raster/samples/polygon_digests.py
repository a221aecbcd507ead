"""Polygons known again by what they outline, wherever they were copied to.

A digest hangs on the edges alone: neither on the file, the order of rings and points or the kind of geometry, nor on
the class or, beyond a centimetre, on the coordinate reference system. A model keeps the digests of the polygons that it
was trained on; of very many the lowest, which is a fair sample of them: a bottom-k sketch, see Cohen, E. and Kaplan, H.
(2007), Summarizing data using bottom-k sketches, PODC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from osgeo import osr

from ....model.shared.infos import LONGEST_VALUE, MOST_DIGESTS, TrainingPolygons
from ....model.shared.text import plain_text
from ..errors import RasterError
from ..reading.projection import transformation
from .shapes import Polygon, outlines

_DECIMALS = 7  # of degrees, about a centimetre; what GeoJSON keeps


@dataclass(frozen=True)
class Remembered:
    """How many of some polygons a model was trained on.

    count  of them all
    known  that the model was trained on
    exact  whether that is all; else there may be more, since the model keeps a part of its digests only
    """

    count: int
    known: int
    exact: bool

    @property
    def sentence(self) -> str:
        """A warning; '' where none is known."""
        if not self.known:
            return ""
        every = self.known == self.count
        who = f"All {self.count}" if every else f"{'' if self.exact else 'At least '}{self.known} of {self.count}"
        said = "reference polygons are polygons" if self.count > 1 else "reference polygon is a polygon"
        advice = "assess with polygons that it has never seen" if every else "leave them out"
        return (
            f"{who if self.count > 1 else 'The only'} {said} that the model was trained on: the figures say how well "
            f"it remembers, not how well it maps; {advice}."
        )


def training_polygons(polygons: Iterable[Polygon], crs_wkt: str, values: Sequence[str]) -> TrainingPolygons:
    """What a model keeps of the polygons that it is trained on, and of the class field's values."""
    digests = digests_of(polygons, crs_wkt)
    kept = tuple(sorted({each for each in digests if each is not None})[:MOST_DIGESTS])
    return TrainingPolygons(len(digests), kept, tuple(plain_text(value[:LONGEST_VALUE]) for value in values))


def remembered(trained: TrainingPolygons, polygons: Iterable[Polygon], crs_wkt: str) -> Remembered:
    """How many of the polygons are those of the training."""
    digests, known = digests_of(polygons, crs_wkt), set(trained.digests)
    hits = sum(each in known for each in digests)
    return Remembered(len(digests), hits, len(trained.digests) < MOST_DIGESTS)


def digests_of(polygons: Iterable[Polygon], crs_wkt: str) -> list[Optional[int]]:
    """A number of 64 bits for each polygon, in their order; None where it has no outline.

    crs_wkt  the CRS of the coordinates; '' takes them as they are
    """
    to_degrees = _to_degrees(crs_wkt)
    return [_digest(outlines(polygon.wkb, to_degrees)) for polygon in polygons]


def _to_degrees(crs_wkt: str) -> Any:
    """The transformation to longitude and latitude; None where there is none, as of a local system."""
    degrees = osr.SpatialReference()
    degrees.SetWellKnownGeogCS("WGS84")
    try:
        return transformation(crs_wkt, degrees.ExportToWkt(), "The polygons")
    except RasterError:
        return None


def _digest(rings: Sequence[np.ndarray]) -> Optional[int]:
    """Of the edges, each from its lower to its higher end, in order."""
    if not rings:
        return None
    points = [np.round(ring, _DECIMALS) + 0.0 for ring in rings]  # no negative zero
    ends = np.concatenate([np.hstack([ring[:-1], ring[1:]]) for ring in points])
    turned = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
    ends[turned] = ends[turned][:, [2, 3, 0, 1]]
    ends = ends[(ends[:, :2] != ends[:, 2:]).any(axis=1)]
    ends = ends[np.lexsort(ends.T)]
    digest = hashlib.blake2b(np.ascontiguousarray(ends, "<f8").tobytes(), digest_size=8)
    return int.from_bytes(digest.digest(), "little")
