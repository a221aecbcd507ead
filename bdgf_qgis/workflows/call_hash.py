"""Tells whether a classification is the same call as one that was cut."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple
from typing import Optional

from ..raster.grid import Window
from ..raster.reading.raster import fingerprint
from ..raster.reading.stack import ModalityStack
from ..resources import plugin_version
from .map_writer import MapResult
from .polygon_inputs import DrawnPolygons

_FORMAT = 3  # of the blocks that are kept


def call_hash(
    model: str,
    device: str,
    stack: ModalityStack,
    mask: Optional[DrawnPolygons],
    plan: Sequence[Window],
    results: Sequence[MapResult],
) -> str:
    """A hash of everything that the blocks of a classification hang on.

    The model counts with its content, of which `model` is the SHA-256; rasters count with the sizes and times of their
    files. Where results go does not count.
    """
    modalities = [[fingerprint(modality.raster), modality.bands, modality.dtype] for modality in stack.modalities]
    grid = stack.grid
    parts = [
        [_FORMAT, plugin_version(), model, device, [result.key for result in results]],
        [grid.width, grid.height, grid.transform, grid.wkt],
        modalities,
        None if mask is None else _mask_hash(mask),
        [astuple(block) for block in plan],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _mask_hash(mask: DrawnPolygons) -> str:
    digest = hashlib.sha256(mask.crs_wkt.encode())
    for polygon in mask.polygons:
        digest.update(len(polygon.wkb).to_bytes(8, "little") + polygon.wkb)
    return digest.hexdigest()
