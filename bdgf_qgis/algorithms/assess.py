"""Assess: a class raster against reference polygons."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingException

from ...model.shared.text import short_name
from ..feedback import Feedback
from ..files.conflicts import ReadFiles
from ..raster.reading.source import files_of
from ..raster.samples.assessment import confusion_of
from ..report.assessment import AssessmentReport
from ..translation import tr
from ..workflows.inputs import raster_layer, raster_source, samples_of
from ..workflows.placing import file_result, held_places, write_texts
from ..workflows.polygon_layers import polygons_problem
from ..workflows.running import tell_report, told_to_user, warn
from .base import BdgfAlgorithm


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
            "CLASS_FIELD", tr("Class field"), tr("Codes or names of the classes."), "REFERENCE", default="class_id"
        )
        self.add_report(tr("The figures as a page."))
        self.add_file_result(
            "JSON", tr("Figures"), tr("The figures for other programs."), "JSON (*.json)", optional=True
        )
        self.add_number_result("OVERALL_ACCURACY", tr("Overall accuracy, 0 to 1"))
        self.add_number_result("AVERAGE_ACCURACY", tr("Mean of the classes' accuracies, 0 to 1"))
        self.add_number_result("KAPPA", tr("Cohen's kappa"))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with the polygons. Raises RasterError where the class raster holds several variables."""
        raster_layer(self, parameters, "CLASSIFICATION", context)
        return polygons_problem(self, parameters, context, "REFERENCE", "CLASS_FIELD")

    def read_inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Take what is needed from the layers."""
        layer = raster_layer(self, parameters, "CLASSIFICATION", context)
        if layer is None:
            raise QgsProcessingException(self.invalidRasterError(parameters, "CLASSIFICATION"))
        self._classification = raster_source(layer)
        class_field = self.parameterAsString(parameters, "CLASS_FIELD", context)
        self._reference = samples_of(self, parameters, context, "REFERENCE", class_field)
        source = self.parameterAsSource(parameters, "REFERENCE", context)
        self._reference_name = short_name(source.sourceName())

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Compare and write."""
        paths = {key: self.parameterAsFileOutput(parameters, key, context) for key in ("REPORT", "JSON")}
        with told_to_user():
            reads = ReadFiles([*files_of(self._classification), *self._reference.files])
        with held_places(map(file_result, paths.values()), reads, feedback), told_to_user():
            found = confusion_of(
                self._classification,
                self._reference.polygons,
                self._reference.crs_wkt,
                self._reference.field,
                feedback.part(0.0, 0.98, tr("Comparing map and reference")),
            )
            warn(found.notes, feedback)
            report = AssessmentReport(
                self._classification.name,
                self._reference_name,
                found.classes,
                found.confusion,
                found.polygons,
                found.left_out,
                found.notes,
                found.trained_on,
            )
            write_texts([(paths["REPORT"], report.html()), (paths["JSON"], report.json())])
        accuracy = report.reliability.accuracy
        for sentence in report.reliability.sentences:
            feedback.info(sentence)
        feedback.info(tr("Reference pixels: {count}.").format(count=f"{accuracy.pixels:,}"))
        if found.left_out:
            text = tr("{count} reference pixels lie where the map is nodata; they are left out.")
            feedback.info(text.format(count=f"{found.left_out:,}"))
        tell_report(paths["REPORT"], feedback)
        feedback.at(1.0)
        return {
            **paths,
            "OVERALL_ACCURACY": accuracy.overall,
            "AVERAGE_ACCURACY": accuracy.average,
            "KAPPA": accuracy.kappa,
        }
