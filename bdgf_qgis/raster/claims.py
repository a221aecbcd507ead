"""Pixels and the polygons that claim them; a pixel claimed by two classes belongs to none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Claims:
    """Pixels and the polygons that claim them, arrays (N,): number of the pixel, class position, polygon."""

    pixel: np.ndarray
    position: np.ndarray
    polygon: np.ndarray

    def where(self, chosen: np.ndarray) -> Claims:
        """Some of the claims: a mask or positions."""
        return Claims(self.pixel[chosen], self.position[chosen], self.polygon[chosen])


def without_conflicts(claims: Claims) -> tuple[Claims, int]:
    """Claims without the pixels that two classes claim, and the number of those pixels; sorted by pixel and polygon."""
    if not len(claims.pixel):
        return claims, 0
    claims = claims.where(np.lexsort((claims.polygon, claims.position, claims.pixel)))
    starts = np.flatnonzero(np.diff(claims.pixel, prepend=claims.pixel[0] - 1))
    mixed = np.minimum.reduceat(claims.position, starts) != np.maximum.reduceat(claims.position, starts)
    lengths = np.diff(np.append(starts, len(claims.pixel)))
    return claims.where(np.repeat(~mixed, lengths)), int(mixed.sum())
