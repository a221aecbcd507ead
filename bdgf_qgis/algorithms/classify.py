"""Classify: from a model and rasters to a map."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext

from ..feedback import Feedback
from ..preferences import wished_device
from ..translation import tr
from ..workflows.classify import SceneToMap, classify_scene
from ..workflows.model_files import opened_model
from ..workflows.polygon_inputs import polygons_of, polygons_problem
from ..workflows.raster_inputs import rasters_of, rasters_problem
from ..workflows.result_layers import show_results
from .base import BdgfAlgorithm
from .common_parameters import add_device, add_model, add_nodata, add_rasters, device_problem, model_problem


class Classify(BdgfAlgorithm):
    """Writes a class raster, and confidence and probabilities where wanted."""

    ID = "classify"
    STEP = 3
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
            "\n\nA run that was cut goes on when the same run is started again: its blocks wait beside the result "
            "for 14 days."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("predict,inference,map,apply model,random forest")

    def declare(self) -> None:
        """Parameters and outputs."""
        add_model(self)
        add_rasters(
            self, tr("Left empty, the one whose pixels are nearest in size to those of the training. The log names it.")
        )
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
        add_nodata(self, tr("Those that the model remembers count in any case."))
        self.add_switch(
            "COG",
            tr("Cloud Optimized GeoTIFF"),
            tr("Results can be read in parts over the web. (They should not be edited in place then.)"),
            False,
            advanced=True,
        )
        self.add_number_result("CLASSIFIED_PIXELS", tr("Number of classified pixels"))

    def scene(self) -> str:
        """The name of the raster whose grid rules."""
        return self._rasters.grid.name

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with the model file, the device, the rasters or the mask."""
        return (
            model_problem(self, parameters, "MODEL", ("classifier",), context)
            or device_problem(self, parameters, context)
            or rasters_problem(self, parameters, context)
            or polygons_problem(self, parameters, context, "MASK")
        )

    def read_inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Take what is needed from the layers."""
        self._model = opened_model(self.parameterAsFile(parameters, "MODEL", context), ("classifier",))
        self._rasters = rasters_of(self, parameters, context, self._model.header)
        self._extent = self.parameterAsExtent(parameters, "EXTENT", context, self._rasters.crs)
        masked = parameters.get("MASK") not in (None, "")
        self._mask = polygons_of(self, parameters, context, "MASK") if masked else None

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Match, read, classify, write."""
        output, confidence, probabilities = (
            self.parameterAsOutputLayer(parameters, key, context) for key in ("OUTPUT", "CONFIDENCE", "PROBABILITIES")
        )
        wanted = SceneToMap(
            self._model,
            self._rasters,
            wished_device(self.parameterAsString(parameters, "DEVICE", context)),
            output,
            confidence,
            probabilities,
            extent=self._extent,
            mask=self._mask,
            cloud=self.parameterAsBool(parameters, "COG", context),
        )
        mapped = classify_scene(wanted, feedback)
        labels = {result.name(): result.description() for result in self.destinationParameterDefinitions()}
        show_results(wanted, mapped, labels, context)
        return {
            "OUTPUT": output,
            "CONFIDENCE": confidence,
            "PROBABILITIES": probabilities,
            "CLASSIFIED_PIXELS": mapped.pixels,
        }
