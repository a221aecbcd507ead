"""Classifies one scene: opens worker and rasters, matches, reads, classifies, writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import numpy as np
from qgis.core import (
    QgsProcessingException,
    QgsProcessingUtils,
    QgsRectangle,
)

from ...model.shared.header import Header, ModelFile
from ...model.shared.jobs import Block, ClassifyJob
from ..engine.block_stream import Stopped, classify_blocks
from ..engine.errors import EngineError
from ..engine.worker import Worker
from ..feedback import Feedback, RunCancelled
from ..files.conflicts import ReadFiles
from ..files.errors import FileError
from ..files.kept_blocks import KEPT_BLOCKS_END, KeptBlocks
from ..raster.errors import RasterError
from ..raster.grid import Window
from ..raster.output.geotiff import check_name
from ..raster.output.metadata import Lineage
from ..raster.reading.blocks import block_with_halo, plan_blocks, write_block
from ..raster.reading.stack import ModalityStack
from ..raster.samples.polygon_mask import PolygonMask
from ..resources import plugin_version
from ..translation import tr
from .call_hash import call_hash
from .error_sentences import told_to_user
from .map_writer import MapWriter, map_results, with_lineage
from .pace_text import pace_text
from .polygon_inputs import DrawnPolygons
from .raster_inputs import Rasters, window_of
from .result_files import held_places, raster_result
from .scene import opened_scene
from .training_comparison import compare_with_training

_COMPARED, _CLASSIFIED, _WRITTEN = 0.04, 0.96, 0.99  # shares of the bar at the end of each step


@dataclass(frozen=True)
class SceneToMap:
    """What is to be classified, and where results go.

    model   the model file, which must still be the same when the worker loads it
    device  as messages name it
    output, confidence, probabilities  paths of the results; '' where one is not wanted
    extent  in the CRS of the rasters; null means all of the overlap
    mask    polygons outside of which nothing is mapped
    cloud   whether results are Cloud Optimized GeoTIFFs
    reads   what no result may replace; None means the files of this scene alone
    """

    model: ModelFile
    rasters: Rasters
    device: str
    output: str
    confidence: str = ""
    probabilities: str = ""
    extent: QgsRectangle = field(default_factory=QgsRectangle)
    mask: Optional[DrawnPolygons] = None
    cloud: bool = False
    reads: Optional[ReadFiles] = None


@dataclass(frozen=True)
class SceneMapped:
    """What came of it: pixels a class, the model's header, the raster of the grid, the lineage."""

    counts: tuple[int, ...]
    header: Header
    grid: str
    lineage: Lineage

    @property
    def pixels(self) -> int:
        """Classified pixels."""
        return sum(self.counts)


def classify_scene(wanted: SceneToMap, feedback: Feedback) -> SceneMapped:
    """Map one scene.

    Blocks of a run that was cut are kept beside the output, and the same call goes on from them.

    Raises QgsProcessingException, with what to do, where that fails or was cancelled; no result stands in place then.
    """
    with told_to_user():
        header = wanted.model.header
        results = map_results(header.classes, wanted.output, wanted.confidence, wanted.probabilities)
        for result in results:
            check_name(result.path)
        mask_files = wanted.mask.files if wanted.mask else ()
        reads = wanted.reads or ReadFiles([wanted.model.path, *wanted.rasters.files, *mask_files])
    map_file = raster_result(wanted.output, wanted.output + KEPT_BLOCKS_END)
    places = held_places([map_file, *(raster_result(result.path) for result in results[1:])], reads, feedback)
    with places, opened_scene(wanted.rasters, wanted.model, feedback) as (worker, stack):
        mask = _polygon_mask(wanted.mask, stack, feedback)
        window = _window(wanted.extent, stack, mask)
        compare_with_training(stack, window, header, feedback)
        settings = header.settings
        cost = stack.pixel_bytes + 8 * len(header.classes)
        plan = plan_blocks(window, cost, settings.patch_size, settings.stride)
        call = call_hash(wanted.model.digest, wanted.device, stack, wanted.mask, plan, results)
        feedback.at(0.0, tr("Looking for finished blocks"))
        with KeptBlocks(Path(wanted.output), call, feedback.check) as kept:
            if kept.blocks:
                text = tr("{done} of {count} blocks are finished from an earlier run and are used again.")
                feedback.info(text.format(done=len(kept.blocks), count=len(plan)))
            largest = max(block_with_halo(block, settings.patch_size, settings.stride).pixels for block in plan)
            names = tuple(modality.name for modality in stack.modalities)
            lineage = Lineage("classes", wanted.model.digest, plugin_version(), names, header.polygons)
            writer = MapWriter(with_lineage(results, lineage), stack.grid, window, plan, kept)
            writer.check_space(worker.workspace.path, cost * largest)
            feedback.at(_COMPARED)
            with _said_what_is_kept(kept, len(plan), feedback):
                _classify_rest(wanted, header, worker, stack, mask, plan, kept, writer, feedback)
                mapped = SceneMapped(writer.counts, header, stack.reference.name, lineage)
                if not mapped.pixels:
                    raise RasterError(tr("No pixel is valid in every raster here, so there is nothing to classify."))
                writing = feedback.part(_CLASSIFIED, _WRITTEN, tr("Writing the map with its overviews"))
                writer.commit(wanted.cloud, writing)
    feedback.at(1.0)
    feedback.info(tr("{count} pixels classified.").format(count=f"{mapped.pixels:,}"))
    return mapped


def _classify_rest(
    wanted: SceneToMap,
    header: Header,
    worker: Worker,
    stack: ModalityStack,
    mask: Optional[PolygonMask],
    plan: Sequence[Window],
    kept: KeptBlocks,
    writer: MapWriter,
    feedback: Feedback,
) -> None:
    """Classify the blocks that are not kept."""
    rest = [number for number in range(len(plan)) if number not in kept.blocks]
    if not rest:
        return
    finished = len(plan) - len(rest)
    size, stride = header.settings.patch_size, header.settings.stride
    folder = worker.workspace.job_folder()
    insides: dict[int, Optional[np.ndarray]] = {}  # what the mask leaves of the blocks under way

    def blocks(stopped: Stopped) -> Iterator[Optional[Block]]:
        with closing(stack.reopen()) as reader:
            for number in rest:
                if stopped():
                    return
                insides[number] = inside = None if mask is None else mask.read(plan[number])
                block = write_block(reader, number, plan[number], folder, size, stride, inside)
                if block is None:
                    del insides[number]
                yield block

    def write(block: Block) -> None:
        writer.write(block, insides.pop(block.number))

    job = ClassifyJob(wanted.model.path, wanted.device, bool(wanted.probabilities), wanted.model.digest)
    shown = feedback.part(_COMPARED, _CLASSIFIED)
    areas = [plan[number].pixels for number in rest]
    classify_blocks(worker, job, blocks, len(plan), write, shown, finished, areas, pace_text)


@contextmanager
def _said_what_is_kept(kept: KeptBlocks, count: int, feedback: Feedback) -> Iterator[None]:
    """Where the run is cut, says that finished blocks are kept, or removes them where no call can go on from them."""
    try:
        yield
    except BaseException as error:
        if kept.path.is_relative_to(QgsProcessingUtils.tempFolder()):
            kept.remove()  # the next call has another temporary file
        if not kept.blocks:
            raise
        text = tr("{done} of {count} finished blocks are kept in {folder}: the same call goes on from them.")
        said = text.format(done=len(kept.blocks), count=count, folder=kept.path)
        if isinstance(error, RunCancelled):
            raise QgsProcessingException(tr("Cancelled; no map was written.") + " " + said) from error
        if isinstance(error, (FileError, RasterError, EngineError, OSError)):
            feedback.info(said)
        raise


def _polygon_mask(polygons: Optional[DrawnPolygons], stack: ModalityStack, feedback: Feedback) -> Optional[PolygonMask]:
    if polygons is None:
        return None
    mask = PolygonMask(polygons.polygons, polygons.crs_wkt, stack.grid, feedback)
    feedback.warn(*mask.notes)
    return mask


def _window(extent: QgsRectangle, stack: ModalityStack, mask: Optional[PolygonMask]) -> Window:
    """The part of the grid to map: where rasters, extent and mask overlap."""
    window = stack.overlap
    for other in (window_of(extent, stack.grid), None if mask is None else mask.window):
        if other is not None:
            window = window.intersection(other)
    if window.empty:
        raise RasterError(tr("Extent and mask leave nothing of the place where the rasters overlap."))
    return window
