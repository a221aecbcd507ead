"""Classifies one scene: opens worker and rasters, matches, reads, classifies, writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Optional

from osgeo import osr
from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsRectangle

from ...model.header import Header
from ...model.messages import Block, ClassifyJob, SceneInfo
from ..engine.stream import Stopped, classify_blocks
from ..feedback import QgisFeedback
from ..raster.blocks import plan_blocks, write_block
from ..raster.errors import RasterError
from ..raster.grid import Window
from ..raster.polygon_mask import PolygonMask
from ..raster.sampling import shares_outside
from ..raster.stack import ModalityStack
from ..style.post_processor import style_when_loaded
from ..style.raster_style import class_renderer, confidence_renderer, style_raster
from ..translation import tr
from .inputs import Rasters, Samples, window_of
from .map_writer import MapWriter
from .running import model_header, opened_scene, told_to_user, warn

_STRANGE = 0.05  # share of a band's pixels outside the training range that is worth a warning
_OTHER_SIZE = 1.5  # ratio of pixel sizes that is worth a warning


@dataclass(frozen=True)
class SceneToMap:
    """What is to be classified, and where results go.

    model   path of a model file
    device  as messages name it
    output, confidence, probabilities  paths of the results; '' where one is not wanted
    extent  in the CRS of the rasters; null means all of the overlap
    mask    polygons outside of which nothing is mapped
    """

    model: str
    rasters: Rasters
    device: str
    output: str
    confidence: str = ""
    probabilities: str = ""
    extent: QgsRectangle = field(default_factory=QgsRectangle)
    mask: Optional[Samples] = None


@dataclass(frozen=True)
class SceneMapped:
    """What came of it: the number of classified pixels, and the header of the model."""

    pixels: int
    header: Header


def classify_scene(wanted: SceneToMap, feedback: QgsProcessingFeedback) -> SceneMapped:
    """Map one scene; the bar of `feedback` runs from 0 to 100 (QgsProcessingMultiStepFeedback makes it a share).

    Raises QgsProcessingException, with what to do, where that fails or was cancelled; no result stands in place then.
    """
    with told_to_user():
        header = model_header(wanted.model, ("classifier",))
    job = ClassifyJob(wanted.model, wanted.device, bool(wanted.probabilities))
    with opened_scene(wanted.rasters, wanted.model, feedback) as (worker, stack):
        mask = _polygon_mask(wanted.mask, stack, feedback)
        window = _window(wanted.extent, stack, mask)
        _compare(stack, window, header, feedback)
        settings = header.settings
        cost = stack.pixel_bytes + 8 * len(header.classes)
        plan = plan_blocks(window, cost, settings.window, settings.stride)
        folder = worker.workspace.job_folder()

        def blocks(stopped: Stopped) -> Iterator[Optional[Block]]:
            with closing(stack.reopen()) as reader:
                for number, part in enumerate(plan):
                    if stopped():
                        return
                    inside = None if mask is None else mask.read(part)
                    yield write_block(reader, number, part, folder, settings.window, settings.stride, inside)

        paths = wanted.output, wanted.confidence, wanted.probabilities
        with MapWriter(stack.grid, window, header.classes, paths, mask) as writer:
            classify_blocks(worker, job, blocks, len(plan), writer.write, QgisFeedback(feedback, 4, 98))
            if not writer.pixels:
                raise RasterError(tr("No pixel is valid in every raster here, so there is nothing to classify."))
            writer.commit()
    feedback.setProgress(100)
    feedback.pushInfo(tr("{count} pixels classified.").format(count=f"{writer.pixels:,}"))
    return SceneMapped(writer.pixels, header)


def style_results(wanted: SceneToMap, mapped: SceneMapped, context: QgsProcessingContext) -> None:
    """Have results that Processing loads shown with their styles."""
    style_when_loaded(
        context,
        wanted.output,
        lambda layer: style_raster(layer, class_renderer(mapped.header.classes, layer.dataProvider())),
    )
    style_when_loaded(
        context, wanted.confidence, lambda layer: style_raster(layer, confidence_renderer(layer.dataProvider()))
    )


def _polygon_mask(
    polygons: Optional[Samples], stack: ModalityStack, feedback: QgsProcessingFeedback
) -> Optional[PolygonMask]:
    if polygons is None:
        return None
    mask = PolygonMask(polygons.polygons, polygons.crs_wkt, stack.grid)
    warn(mask.notes, feedback)
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


def _compare(stack: ModalityStack, window: Window, header: Header, feedback: QgsProcessingFeedback) -> None:
    """Warns where the scene is unlike the one of the training."""
    ratio = _pixel_ratio(stack.scene_info(), header.scene)
    if ratio > _OTHER_SIZE:
        text = tr(
            "Pixels are {ratio:.1f} times larger or smaller than in training: shapes will look strange to the model."
        )
        feedback.pushWarning(text.format(ratio=ratio))
    feedback.setProgressText(tr("Comparing with the training"))
    shares = shares_outside(stack, window, header.ranges)
    for modality, outside in zip(stack.modalities, shares):
        for name, share in zip(modality.band_names, outside):
            if share > _STRANGE:
                text = tr("{name}, {band}: {share:.0%} of the pixels lie outside the range seen in training.")
                feedback.pushWarning(text.format(name=modality.name, band=name, share=share))
    feedback.setProgress(4)


def _pixel_ratio(here: SceneInfo, there: SceneInfo) -> float:
    """How many times the larger pixel side exceeds the smaller; 1 where the units cannot be compared."""
    if _in_degrees(here.crs) != _in_degrees(there.crs):
        return 1.0
    ratios = [abs(one / other) for one, other in zip(here.pixel_size, there.pixel_size)]
    return max(max(ratio, 1 / ratio) for ratio in ratios)


def _in_degrees(wkt: str) -> bool:
    return bool(wkt) and bool(osr.SpatialReference(wkt).IsGeographic())
