"""Whether there is disk space for a classification, before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..engine.block_stream import AHEAD
from ..files.disk_space import Need, shortages
from ..files.kept_blocks import KeptBlocks
from ..raster.errors import RasterError
from ..raster.grid import Window
from ..translation import tr
from .map_writer import MapResult

_OVERVIEWS = 4 / 3
_CODES_SHARE = 0.5  # what DEFLATE leaves of class codes at most; of probabilities it may leave nearly all
_MIB = 1024**2


def check_disk_space(
    results: Sequence[MapResult], window: Window, part: KeptBlocks, temporary: Path, block_bytes: float
) -> None:
    """Raise RasterError, with the need and what is free, where a disk has too little room.

    Args:
        results: what is going to be written.
        window: the pixels that are mapped.
        part: where finished blocks wait until the end; those that are there need no more room.
        temporary: folder for the blocks in flight.
        block_bytes: of the largest block's arrays.
    """
    needs = [Need(temporary, (AHEAD + 2) * block_bytes), Need(part.path, -part.size)]
    for result in results:
        size = window.pixels * result.content.pixel_bytes * (_CODES_SHARE if result.content.classes else 1.0)
        needs += [Need(part.path, size), Need(Path(result.path).parent, size * _OVERVIEWS)]
    for disk in shortages(needs):
        text = tr(
            "The run needs about {need} on the disk of {folder}, and {free} are free there: make room, choose another "
            "folder, or map a smaller extent."
        )
        raise RasterError(text.format(need=_amount(disk.size), folder=disk.folder, free=_amount(disk.free)))


def _amount(size: float) -> str:
    return f"{size / _MIB / 1024:,.1f} GiB" if size >= 1024 * _MIB else f"{size / _MIB:,.0f} MiB"
