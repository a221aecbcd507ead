"""The rasters that a classification writes: classes, confidence, probabilities.

Blocks wait in the part folder until all are there; then each raster is put together, and all are put in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Optional

import numpy as np

from ...model.shared.infos import ClassInfo
from ...model.shared.jobs import CERTAIN, NO_CLASS, Block
from ..engine.block_results import read_results
from ..feedback import Feedback
from ..files.atomic_file import AtomicFile, commit_together
from ..files.kept_blocks import KeptBlocks
from ..raster.grid import Grid, Window
from ..raster.output.metadata import Lineage, class_type_and_nodata, codes_at
from ..raster.output.mosaic import Content, Part, Statistics, write_mosaic, write_part
from ..style.raster_style import class_style, probability_style
from ..translation import tr

NO_CONFIDENCE = -1.0
STYLE = ".qml"  # ends the name of the style beside a raster


@dataclass(frozen=True)
class MapResult:
    """A raster to write: the key that its blocks' names end in, its path, what it holds, its style ('' without)."""

    key: str
    path: str
    content: Content
    style: str = ""


def map_results(
    classes: Sequence[ClassInfo], output: str, confidence: str = "", probabilities: str = ""
) -> tuple[MapResult, ...]:
    """The class raster, and confidence and probabilities where their paths are not ''; classes in the model's order."""
    dtype, nodata = class_type_and_nodata([each.code for each in classes])
    codes = Content(dtype, nodata, (tr("class"),), tuple(classes))
    results = [MapResult("classes", output, codes, class_style(tuple(classes)))]
    if confidence:
        sure = Content("float32", NO_CONFIDENCE, (tr("confidence"),))
        results.append(MapResult("confidence", confidence, sure, probability_style()))
    if probabilities:
        shares = Content("uint16", NO_CLASS, tuple(each.name for each in classes), scale=1 / CERTAIN)
        results.append(MapResult("probabilities", probabilities, shares, probability_style()))
    return tuple(results)


def with_lineage(results: Sequence[MapResult], lineage: Lineage) -> tuple[MapResult, ...]:
    """The results with where they come from; the kind of `lineage` does not count."""
    return tuple(
        replace(each, content=replace(each.content, lineage=replace(lineage, kind=each.key))) for each in results
    )


class MapWriter:
    """Keeps what the worker answers, and puts it together in commit(); nothing stands in place before.

    Args:
        results: as map_results gives them.
        grid: the common grid.
        window: the part of it that is mapped.
        plan: the blocks, by number.
        part: where blocks wait, also those of an earlier run.
    """

    def __init__(
        self,
        results: Sequence[MapResult],
        grid: Grid,
        window: Window,
        plan: Sequence[Window],
        part: KeptBlocks,
    ) -> None:
        self._results = tuple(results)
        self._classes = len(results[0].content.classes)
        self._grid = grid
        self._window = window
        self._plan = plan
        self._part = part

    @property
    def counts(self) -> tuple[int, ...]:
        """Pixels of all blocks, a class."""
        return tuple(map(sum, zip(*(block.counts for block in self._part.blocks.values()))))

    def write(self, block: Block, inside: Optional[np.ndarray] = None) -> None:
        """One block's results; it counts as finished then.

        Args:
            block: names the files that the worker wrote.
            inside: bool (h, w), the pixels to map; None means all.

        Raises BadAnswer where they are not what was asked for, RasterError or OSError where the disk is full.
        """
        found = read_results(block, self._classes, any(each.key == "probabilities" for each in self._results))
        positions = found.classes
        outside = positions == NO_CLASS
        if inside is not None:
            outside |= ~inside
        counts = np.bincount(positions[~outside], minlength=self._classes).tolist()
        files, figures = [], []
        for result in self._results:
            content = result.content
            if content.classes:
                positions[outside] = NO_CLASS
                codes = [each.code for each in content.classes]
                array = codes_at(positions, codes, content.dtype, int(content.nodata))
            else:
                stored = found.confidence if result.key == "confidence" else found.probabilities
                array = np.where(outside, stored.dtype.type(content.nodata), stored)
                planes = array[None] if array.ndim == 2 else array
                figures += [astuple(Statistics.of(plane, content.nodata)) for plane in planes]
            part = self._block(result, block.number)
            write_part(part, array, content)
            files.append(part.path)
        self._part.keep(block.number, counts, files, figures)

    def commit(self, cloud: bool, feedback: Feedback) -> None:
        """Put everything in place with styles, the class raster last, and remove the blocks.

        Args:
            cloud: whether Cloud Optimized GeoTIFFs are wanted.
            feedback: told the share that is done, and asked about Cancel.

        Raises RasterError or FileError where an output cannot be written, RunCancelled; the blocks stay then.
        """
        numbers = sorted(self._part.blocks)
        total = sum(each.content.pixel_bytes for each in self._results)
        before, band = 0, 0
        with ExitStack() as stack:
            drafts = []
            for result in self._results:
                own = result.content.pixel_bytes
                together = self._part.path.parent == Path(result.path).parent  # on the part folder's disk then
                draft = stack.enter_context(AtomicFile(result.path, self._part.path if together else None))
                drafts.append(draft)
                bands = 0 if result.content.classes else len(result.content.names)
                statistics = [self._statistics(numbers, each) for each in range(band, band + bands)]
                parts = [self._block(result, number) for number in numbers]
                share = feedback.part(before / total, (before + own) / total)
                write_mosaic(draft, parts, result.content, self._grid, self._window, statistics, cloud, share)
                if result.style:
                    draft.write_sidecar(STYLE, result.style)
                before, band = before + own, band + bands
            commit_together(drafts)
        self._part.remove()

    def _block(self, result: MapResult, number: int) -> Part:
        return Part(self._part.path / f"block-{number}-{result.key}.tif", self._plan[number])

    def _statistics(self, numbers: Sequence[int], band: int) -> Statistics:
        """Of a band, counted over all results that are no class raster."""
        return Statistics.together(Statistics(*self._part.blocks[number].figures[band]) for number in numbers)
