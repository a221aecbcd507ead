"""The rasters that a classification writes: classes, confidence, probabilities.

Blocks are kept until all are there; then each raster is put together, and all are put in place.
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
from ..engine.block_stream import AHEAD
from ..feedback import Feedback
from ..files.atomic_file import AtomicFile, commit_together
from ..files.disk_space import Need, shortages
from ..files.kept_blocks import KeptBlocks
from ..raster.errors import RasterError
from ..raster.grid import Grid, Window
from ..raster.output.metadata import Lineage, class_type_and_nodata, codes_at
from ..raster.output.mosaic import BlockFile, Content, Statistics, write_block_file, write_mosaic
from ..style.raster_style import class_style, probability_style
from ..translation import tr

NO_CONFIDENCE = -1.0
_OVERVIEWS = 4 / 3
_CODES_SHARE = 0.5  # what DEFLATE leaves of class codes at most; of probabilities it may leave nearly all
_MIB = 1024**2
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
    dtype, nodata = class_type_and_nodata([info.code for info in classes])
    codes = Content(dtype, nodata, (tr("class"),), tuple(classes))
    results = [MapResult("classes", output, codes, class_style(tuple(classes)))]
    if confidence:
        sure = Content("float32", NO_CONFIDENCE, (tr("confidence"),))
        results.append(MapResult("confidence", confidence, sure, probability_style()))
    if probabilities:
        shares = Content("uint16", NO_CLASS, tuple(info.name for info in classes), scale=1 / CERTAIN)
        results.append(MapResult("probabilities", probabilities, shares, probability_style()))
    return tuple(results)


def with_lineage(results: Sequence[MapResult], lineage: Lineage) -> tuple[MapResult, ...]:
    """The results with where they come from; the kind of `lineage` does not count."""
    return tuple(
        replace(result, content=replace(result.content, lineage=replace(lineage, kind=result.key)))
        for result in results
    )


class MapWriter:
    """Keeps what the worker answers, and puts it together in commit(); nothing stands in place before.

    Args:
        results: as map_results gives them.
        grid: the common grid.
        window: the part of it that is mapped.
        plan: the blocks, by number.
        kept: where blocks wait, also those of an earlier run.
    """

    def __init__(
        self,
        results: Sequence[MapResult],
        grid: Grid,
        window: Window,
        plan: Sequence[Window],
        kept: KeptBlocks,
    ) -> None:
        self._results = tuple(results)
        self._classes = len(results[0].content.classes)
        self._grid = grid
        self._window = window
        self._plan = plan
        self._kept = kept

    @property
    def counts(self) -> tuple[int, ...]:
        """Pixels of all blocks, a class."""
        return tuple(map(sum, zip(*(block.counts for block in self._kept.blocks.values()))))

    def check_space(self, temporary: Path, block_bytes: float) -> None:
        """Raise RasterError, with the need and what is free, where a disk has too little room.

        Finished blocks that are there need no more.

        Args:
            temporary: folder for the blocks in flight.
            block_bytes: of the largest block's arrays.
        """
        needs = [Need(temporary, (AHEAD + 2) * block_bytes), Need(self._kept.path, -self._kept.size)]
        for result in self._results:
            share = _CODES_SHARE if result.content.classes else 1.0
            size = self._window.pixels * result.content.pixel_bytes * share
            needs += [Need(self._kept.path, size), Need(Path(result.path).parent, size * _OVERVIEWS)]
        for disk in shortages(needs):
            text = tr(
                "The run needs about {need} on the disk of {folder}, and {free} are free there: make room, choose "
                "another folder, or map a smaller extent."
            )
            raise RasterError(text.format(need=_amount(disk.size), folder=disk.folder, free=_amount(disk.free)))

    def write(self, block: Block, inside: Optional[np.ndarray] = None) -> None:
        """One block's results; it counts as finished then.

        Args:
            block: names the files that the worker wrote.
            inside: bool (h, w), the pixels to map; None means all.

        Raises BadAnswer where they are not what was asked for, RasterError or OSError where the disk is full.
        """
        keys = [result.key for result in self._results]
        answer = read_results(block, self._classes, "probabilities" in keys)
        positions = answer.classes
        outside = positions == NO_CLASS
        if inside is not None:
            outside |= ~inside
        counts = np.bincount(positions[~outside], minlength=self._classes).tolist()
        files, figures = [], []
        for result in self._results:
            content = result.content
            if content.classes:
                positions[outside] = NO_CLASS
                codes = [info.code for info in content.classes]
                array = codes_at(positions, codes, content.dtype, int(content.nodata))
            else:
                stored = answer.confidence if result.key == "confidence" else answer.probabilities
                array = np.where(outside, stored.dtype.type(content.nodata), stored)
                planes = array[None] if array.ndim == 2 else array
                figures += [astuple(Statistics.of(plane, content.nodata)) for plane in planes]
            kept = self._file(result, block.number)
            write_block_file(kept, array, content)
            files.append(kept.path)
        self._kept.keep(block.number, counts, files, figures)

    def commit(self, cloud: bool, feedback: Feedback) -> None:
        """Put everything in place with styles, the class raster last, and remove the blocks.

        Args:
            cloud: whether Cloud Optimized GeoTIFFs are wanted.
            feedback: told the share that is done, and asked about Cancel.

        Raises RasterError or FileError where an output cannot be written, RunCancelled; the blocks stay then.
        """
        numbers = sorted(self._kept.blocks)
        total = sum(result.content.pixel_bytes for result in self._results)
        before, band = 0, 0
        with ExitStack() as stack:
            files = []
            for result in self._results:
                own = result.content.pixel_bytes
                together = self._kept.path.parent == Path(result.path).parent  # on the disk of the blocks then
                file = stack.enter_context(AtomicFile(result.path, self._kept.path if together else None))
                files.append(file)
                bands = 0 if result.content.classes else len(result.content.names)
                statistics = [self._statistics(numbers, number) for number in range(band, band + bands)]
                blocks = [self._file(result, number) for number in numbers]
                share = feedback.part(before / total, (before + own) / total)
                write_mosaic(file, blocks, result.content, self._grid, self._window, statistics, cloud, share)
                if result.style:
                    file.write_sidecar(STYLE, result.style)
                before, band = before + own, band + bands
            commit_together(files)
        self._kept.remove()

    def _file(self, result: MapResult, number: int) -> BlockFile:
        return BlockFile(self._kept.path / f"block-{number}-{result.key}.tif", self._plan[number])

    def _statistics(self, numbers: Sequence[int], band: int) -> Statistics:
        """Of a band, counted over all results that are no class raster."""
        return Statistics.together(Statistics(*self._kept.blocks[number].figures[band]) for number in numbers)


def _amount(size: float) -> str:
    return f"{size / _MIB / 1024:,.1f} GiB" if size >= 1024 * _MIB else f"{size / _MIB:,.0f} MiB"
