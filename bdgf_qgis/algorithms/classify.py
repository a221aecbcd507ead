"""Classify: from a model and rasters to a map."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any, Optional

from osgeo import osr
from qgis.core import QgsProcessingContext, QgsProcessingFeedback

from ...model.header import Header
from ...model.messages import Block, ClassifyJob, SceneInfo
from ..engine.stream import Stopped, classify_blocks
from ..feedback import QgisFeedback
from ..preferences import wished_device
from ..raster.blocks import plan_blocks, write_block
from ..raster.errors import RasterError
from ..raster.grid import Window
from ..raster.polygon_mask import PolygonMask
from ..raster.sampling import shares_outside
from ..raster.stack import ModalityStack
from ..style.post_processor import style_when_loaded
from ..style.raster_style import class_renderer, confidence_renderer, style_raster
from ..translation import tr
from .base import BdgfAlgorithm
from .common_parameters import MODEL_FILES, add_device, add_rasters, device_problem, model_problem
from .inputs import rasters_of, rasters_problem, samples_of, window_of
from .map_writer import MapWriter
from .running import model_header, opened_scene, told_to_user, warn

_STRANGE = 0.05  # share of a band's pixels outside the training range that is worth a warning
_OTHER_SIZE = 1.5  # ratio of pixel sizes that is worth a warning


class Classify(BdgfAlgorithm):
    """Writes a class raster, and confidence and probabilities where wanted."""

    ID = "classify"
    NEEDS_TORCH = True

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Classify")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Maps a scene with a model of Train. The map has the names and colours of the classes; pixels that are not "
            "valid in every raster are nodata.\n\n"
            "The rasters may be those of the training or of another place: their bands are matched by name and number."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("predict,inference,map,apply model,land use")

    def declare(self) -> None:
        """Parameters and outputs."""
        self.add_file("MODEL", tr("Model"), tr("A model file of Train."), MODEL_FILES)
        add_rasters(self)
        self.add_extent("EXTENT", tr("Extent"), tr("Map this part only: the same pixels as in a map of everything."))
        self.add_polygons("MASK", tr("Mask"), tr("Map inside these polygons only."), optional=True)
        add_device(self)
        self.add_raster_result("OUTPUT", tr("Land cover"), tr("The class raster (GeoTIFF), with its legend."))
        self.add_raster_result(
            "CONFIDENCE",
            tr("Confidence"),
            tr("The probability of the mapped class, 0 to 1: low where the model is unsure."),
            optional=True,
        )
        self.add_raster_result(
            "PROBABILITIES",
            tr("Probabilities"),
            tr("A band per class, named after it; the raster's scale turns the whole numbers into 0 to 1."),
            optional=True,
        )
        self.add_number_result("CLASSIFIED_PIXELS", tr("Number of classified pixels"))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with the model file, the device or the rasters."""
        found = model_problem(self, parameters, "MODEL", ("classifier",), context)
        return found or device_problem(self, parameters, context) or rasters_problem(self, parameters, context)

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Take what is needed from the layers."""
        self._rasters = rasters_of(self, parameters, context)
        self._extent = self.parameterAsExtent(parameters, "EXTENT", context, self._rasters.crs)
        masked = parameters.get("MASK") not in (None, "")
        self._mask = samples_of(self, parameters, context, "MASK") if masked else None
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Match, read, classify, write."""
        keys = ("OUTPUT", "CONFIDENCE", "PROBABILITIES")
        output, confidence, probabilities = (self.parameterAsOutputLayer(parameters, key, context) for key in keys)
        path = self.parameterAsFile(parameters, "MODEL", context)
        job = ClassifyJob(
            path, wished_device(self.parameterAsString(parameters, "DEVICE", context)), bool(probabilities)
        )
        with told_to_user():
            header = model_header(path, ("classifier",))
        with opened_scene(self._rasters, path, feedback) as (worker, stack):
            mask = self._polygon_mask(stack, feedback)
            window = self._window(stack, mask)
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
                        wanted = None if mask is None else mask.read(part)
                        yield write_block(reader, number, part, folder, settings.window, settings.stride, wanted)

            paths = output, confidence, probabilities
            with MapWriter(stack.grid, window, header.classes, paths, mask) as writer:
                classify_blocks(worker, job, blocks, len(plan), writer.write, QgisFeedback(feedback, 4, 98))
                if not writer.pixels:
                    raise RasterError(tr("No pixel is valid in every raster here, so there is nothing to classify."))
                writer.commit()
        feedback.setProgress(100)
        style_when_loaded(
            context, output, lambda layer: style_raster(layer, class_renderer(header.classes, layer.dataProvider()))
        )
        style_when_loaded(
            context, confidence, lambda layer: style_raster(layer, confidence_renderer(layer.dataProvider()))
        )
        feedback.pushInfo(tr("{count} pixels classified.").format(count=f"{writer.pixels:,}"))
        return {**dict(zip(keys, (output, confidence, probabilities))), "CLASSIFIED_PIXELS": writer.pixels}

    def _polygon_mask(self, stack: ModalityStack, feedback: QgsProcessingFeedback) -> Optional[PolygonMask]:
        if self._mask is None:
            return None
        mask = PolygonMask(self._mask.polygons, self._mask.crs_wkt, stack.grid)
        warn(mask.notes, feedback)
        return mask

    def _window(self, stack: ModalityStack, mask: Optional[PolygonMask]) -> Window:
        """The part of the grid to map: where rasters, extent and mask overlap."""
        window = stack.overlap
        for other in (window_of(self._extent, stack.grid), None if mask is None else mask.window):
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
