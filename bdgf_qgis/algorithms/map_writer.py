"""The rasters that a classification writes, block by block: classes, confidence, probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np

from ...model.messages import CERTAIN, NO_CLASS, Block, BlockDone, ClassInfo
from ..raster.class_table import class_type_and_nodata, codes_at
from ..raster.drafts import commit_together
from ..raster.grid import Grid, Window
from ..raster.outputs import OutputRaster
from ..raster.polygon_mask import PolygonMask
from ..style.raster_style import class_style, confidence_style
from ..translation import tr

NO_CONFIDENCE = -1.0


class MapWriter:
    """Writes what the worker answers; nothing stands in place before commit(), and what does not by then is removed.

    Args:
        grid: the common grid.
        window: the part of it that is mapped.
        classes: in the order of the model.
        paths: of the class raster, and of confidence and probabilities where wanted ('' where not).
        mask: polygons outside of which nothing is mapped.

    Raises RasterError where an output cannot be written.
    """

    def __init__(
        self,
        grid: Grid,
        window: Window,
        classes: Sequence[ClassInfo],
        paths: tuple[str, str, str],
        mask: Optional[PolygonMask],
    ) -> None:
        self._classes = tuple(classes)
        self._mask = mask
        self._codes = [each.code for each in classes]
        self._type, self._nodata = class_type_and_nodata(self._codes)
        self.pixels = 0
        self._outputs: list[OutputRaster] = []
        names = [each.name for each in classes]
        try:
            self._map = self._open(paths[0], grid, window, 1, self._type, self._nodata, [tr("class")], self._classes)
            self._confidence = self._probabilities = None
            if paths[1]:
                self._confidence = self._open(paths[1], grid, window, 1, "float32", NO_CONFIDENCE, [tr("confidence")])
            if paths[2]:
                scale = 1 / CERTAIN
                count = len(names)
                self._probabilities = self._open(paths[2], grid, window, count, "uint16", NO_CLASS, names, scale=scale)
        except BaseException:
            self.discard()
            raise

    def __enter__(self) -> MapWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def _open(self, *arguments: object, **named: object) -> OutputRaster:
        output = OutputRaster(*arguments, **named)  # type: ignore[arg-type]
        self._outputs.append(output)
        return output

    def write(self, block: Block, done: BlockDone) -> None:
        """One block's results."""
        window = Window(block.row, block.column, block.height, block.width)
        positions = np.load(done.classes)
        outside = positions == NO_CLASS
        if self._mask is not None:
            outside |= ~self._mask.read(window)
        positions[outside] = NO_CLASS
        self._map.write(window, codes_at(positions, self._codes, self._type, self._nodata))
        if self._confidence is not None:
            self._confidence.write(window, np.where(outside, np.float32(NO_CONFIDENCE), np.load(done.confidence)))
        if self._probabilities is not None and done.probabilities is not None:
            self._probabilities.write(window, np.where(outside, np.uint16(NO_CLASS), np.load(done.probabilities)))
        self.pixels += int((~outside).sum())

    def commit(self) -> None:
        """Put everything in place with styles, the class raster last."""
        self._map.write_sidecar(".qml", class_style(self._classes))
        if self._confidence is not None:
            self._confidence.write_sidecar(".qml", confidence_style())
        commit_together(self._outputs)

    def discard(self) -> None:
        """Remove what is not in place."""
        for each in self._outputs:
            each.discard()
