"""Holds a class raster against reference polygons, and writes what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.shared.accuracy import Accuracy
from ..feedback import Feedback
from ..files.conflicts import ReadFiles
from ..raster.reading.raster import Raster
from ..raster.samples.assessment import confusion_of
from ..report.assessment import AssessmentReport
from ..translation import tr
from .error_sentences import told_to_user
from .polygon_inputs import DrawnPolygons
from .result_files import file_result, held_places, tell_report, write_texts


@dataclass(frozen=True)
class MapToAssess:
    """A class raster, the polygons to hold it against, and where results go; '' where one is not wanted.

    report  path of the page
    json    path of the figures for other programs
    """

    classification: Raster
    reference: DrawnPolygons
    report: str = ""
    json: str = ""


def assess_map(wanted: MapToAssess, feedback: Feedback) -> Accuracy:
    """Compare, tell the log, and write.

    Raises QgsProcessingException, with what to do, where that fails or was cancelled; no result stands in place then.
    """
    classification, reference = wanted.classification, wanted.reference
    with told_to_user():
        reads = ReadFiles([*classification.files, *reference.files])
    places = held_places([file_result(wanted.report), file_result(wanted.json)], reads, feedback)
    with places, told_to_user():
        found = confusion_of(
            classification,
            reference.polygons,
            reference.crs_wkt,
            reference.field,
            feedback.part(0.0, 0.98, tr("Comparing map and reference")),
        )
        feedback.warn(*found.notes)
        report = AssessmentReport(
            classification.name,
            reference.layer,
            found.classes,
            found.confusion,
            found.polygons,
            found.left_out,
            found.notes,
            found.trained_on,
        )
        write_texts([(wanted.report, report.html()), (wanted.json, report.json())])
    accuracy = report.reliability.accuracy
    feedback.info(*report.reliability.sentences)
    feedback.info(tr("Reference pixels: {count}.").format(count=f"{accuracy.pixels:,}"))
    if found.left_out:
        text = tr("{count} reference pixels lie where the map is nodata; they are left out.")
        feedback.info(text.format(count=f"{found.left_out:,}"))
    tell_report(wanted.report, feedback)
    feedback.at(1.0)
    return accuracy
