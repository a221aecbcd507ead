"""Assess: a class raster against reference polygons."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingException

from ..feedback import Feedback
from ..translation import tr
from ..workflows.assess import MapToAssess, assess_map
from ..workflows.polygon_inputs import DEFAULT_CLASS_FIELD, polygons_of, polygons_problem
from ..workflows.raster_inputs import raster_layer, raster_of
from .base import BdgfAlgorithm
from .common_parameters import accuracy_results, add_accuracy


class Assess(BdgfAlgorithm):
    """Writes accuracy figures."""

    ID = "assess"
    STEP = 4

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Assess")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Compares a class raster with reference polygons: overall and average accuracy, kappa, and producer's and "
            "user's accuracy of each class.\n\n"
            "Take polygons that no model was trained on. Classes meet by code where the class field holds whole "
            "numbers, by name where it holds texts. Reference pixels where the map is nodata are left out and counted."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("accuracy,validation,confusion matrix,error matrix,kappa,ground truth")

    def declare(self) -> None:
        """Parameters and outputs."""
        self.add_raster(
            "CLASSIFICATION", tr("Class raster"), tr("A map of Classify, or another raster of class codes.")
        )
        self.add_polygons("REFERENCE", tr("Reference polygons"), tr("Polygons with the true class, in any system."))
        self.add_field(
            "CLASS_FIELD",
            tr("Class field"),
            tr("Codes or names of the classes."),
            "REFERENCE",
            default=DEFAULT_CLASS_FIELD,
        )
        self.add_report(tr("The figures as a page."))
        self.add_file_result(
            "JSON", tr("Figures"), tr("The figures for other programs."), "JSON (*.json)", optional=True
        )
        add_accuracy(self, tr("Overall accuracy, 0 to 1"))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with the polygons. Raises RasterError where the class raster holds several variables."""
        raster_layer(self, parameters, "CLASSIFICATION", context)
        return polygons_problem(self, parameters, context, "REFERENCE", "CLASS_FIELD")

    def read_inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Take what is needed from the layers."""
        layer = raster_layer(self, parameters, "CLASSIFICATION", context)
        if layer is None:
            raise QgsProcessingException(self.invalidRasterError(parameters, "CLASSIFICATION"))
        self._classification = raster_of(layer)
        class_field = self.parameterAsString(parameters, "CLASS_FIELD", context)
        self._reference = polygons_of(self, parameters, context, "REFERENCE", class_field)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Compare and write."""
        report, json = (self.parameterAsFileOutput(parameters, key, context) for key in ("REPORT", "JSON"))
        accuracy = assess_map(MapToAssess(self._classification, self._reference, report, json), feedback)
        return {"REPORT": report, "JSON": json, **accuracy_results(accuracy)}
