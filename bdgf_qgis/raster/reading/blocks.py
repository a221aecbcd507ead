"""The rectangles in which a scene is classified, with the pixels that their patches need around them.

Patches of W x W pixels hang on a lattice: their first pixels are the multiples of `stride`, negative ones too, of the
grid's pixel (0, 0). Blocks are cut along multiples of the stride, so that few patches are computed twice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import numpy as np

from ....model.shared.jobs import Block
from ....model.shared.patch_starts import patch_starts
from ..errors import RasterError
from ..grid import Window
from ..npy import save_array
from .stack import ModalityStack

MEMORY = 192 * 1024 * 1024  # bytes that the arrays of one block may take
_LONGEST = 1024  # pixels along a side: a bigger block brings no speed, only coarser progress and cancelling
_MOST = 1_000_000  # blocks of a scene


def plan_blocks(
    window: Window, bands_bytes: int, patch_size: int, stride: int, memory: Optional[int] = None
) -> list[Window]:
    """Blocks that cover a window of the grid exactly once, row by row.

    Args:
        window: the pixels to classify.
        bands_bytes: bytes of a pixel in all modalities (ModalityStack.pixel_bytes), and of what is made of it.
        patch_size: side of a patch, pixels.
        stride: between patches.
        memory: bytes that one block with its surroundings may take (MEMORY); one stride wide it is in any case.

    Raises RasterError where they would be more than a million.
    """
    halo = 2 * (patch_size - stride) + stride
    side = int(((MEMORY if memory is None else memory) / max(1, bands_bytes)) ** 0.5) - halo
    side = max(1, min(side, _LONGEST) // stride) * stride
    rows, columns = window.cell_starts(side)
    if len(rows) * len(columns) > _MOST:
        raise RasterError(
            f"{window.width:,} x {window.height:,} pixels are too many for one map, which would take weeks: choose a "
            "smaller extent, or coarser pixels."
        )
    return list(window.cells(side))


def block_with_halo(window: Window, patch_size: int, stride: int) -> Window:
    """All pixels of all lattice patches that touch a block; may reach beyond the grid."""
    rows = patch_starts(window.row, window.height, patch_size, stride)
    columns = patch_starts(window.column, window.width, patch_size, stride)
    return Window(rows[0], columns[0], rows[-1] + patch_size - rows[0], columns[-1] + patch_size - columns[0])


def write_block(
    stack: ModalityStack,
    number: int,
    window: Window,
    folder: Path,
    patch_size: int,
    stride: int,
    wanted: Optional[np.ndarray] = None,
) -> Optional[Block]:
    """Read a block with its surroundings and write its arrays for the worker.

    Args:
        stack: the rasters, of this thread's own (ModalityStack.reopen).
        number: of the block, part of the names of its files.
        window: the block.
        folder: where the files go.
        patch_size: side of a patch, pixels.
        stride: between patches.
        wanted: bool (h, w) of the block, the pixels that are asked for; None means all.

    Returns None, and writes nothing, where the block holds no valid pixel that is asked for.
    Raises RasterError where a file cannot be read, FileError where the folder's disk is full.
    """
    if window.intersection(stack.overlap).empty or (wanted is not None and not wanted.any()):
        return None
    region = block_with_halo(window, patch_size, stride).intersection(stack.overlap.union(window))
    arrays, valid = stack.read(region)
    stack.forget_blocks()
    asked = valid[window.slices_in(region)]
    if not (asked if wanted is None else asked & wanted).any():
        return None
    prefix = Path(folder) / f"block-{number}"
    return Block(
        number,
        window.row,
        window.column,
        window.height,
        window.width,
        region.row,
        region.column,
        tuple(save_array(Path(f"{prefix}-{place}.npy"), array) for place, array in enumerate(arrays)),
        save_array(Path(f"{prefix}-valid.npy"), valid),
        str(prefix),
    )
