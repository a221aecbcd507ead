"""Trains a classifier: labelled pixels from polygons, tiles, the worker's job, model and report in their places."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from qgis.core import QgsProcessingException

from ...model.shared.accuracy import Accuracy, accuracy_of
from ...model.shared.events import Trained
from ...model.shared.header import ModelFile, read_header
from ...model.shared.infos import ClassInfo, TrainingPolygons
from ...model.shared.jobs import TileFiles, TrainJob
from ...model.shared.settings import Settings
from ..engine.run import run_job
from ..feedback import Feedback
from ..files.conflicts import ReadFiles
from ..preferences import read_preferences
from ..raster.reading.stack import ModalityStack
from ..raster.samples.labels import Labels, rasterise_labels
from ..raster.samples.polygon_digests import training_polygons
from ..raster.samples.tiles import copy_tiles, used_labels
from ..raster.texts import counted
from ..report.reliability import Reliability
from ..report.training import TrainingReport
from ..resources import plugin_version, profile_home
from ..style.legend import class_infos
from ..translation import tr
from .model_files import TRAINED, checkpoint_of, model_result, place_model
from .pace_text import step_text
from .polygon_inputs import DrawnPolygons
from .raster_inputs import Rasters
from .result_files import file_result, held_places, tell_report
from .scene import opened_scene

_LABELLED, _COPIED, _LEARNED = 0.02, 0.08, 0.98  # share of the bar at the end of each step


@dataclass(frozen=True)
class Training:
    """What a model is trained on, how, and where it goes.

    settings      of the method
    device        as messages name it
    seed          of hold-out, tiles and all that the worker draws
    holdout       share of the polygons of a class that are kept for the accuracy figures, 0..0.9
    pretrained    the model to start from; None: from nothing
    keep_partial  whether Cancel, once the classifier learns, leaves a model
    model, report paths of the results; '' where no report is wanted
    remembered    whether the model is offered by Classify from then on
    """

    rasters: Rasters
    samples: DrawnPolygons
    settings: Settings
    device: str
    seed: int
    holdout: float
    model: str
    report: str = ""
    pretrained: Optional[ModelFile] = None
    keep_partial: bool = False
    remembered: bool = True


def train_model(wanted: Training, feedback: Feedback) -> Optional[Accuracy]:
    """Write a model and its report. Returns the figures on held-out polygons, None without any.

    Raises QgsProcessingException, with what to do, where that fails or was cancelled; no result stands in place then.
    """
    start = [wanted.pretrained.path] if wanted.pretrained else []
    reads = ReadFiles([*wanted.rasters.files, *wanted.samples.files, *start])
    places = held_places([model_result(wanted.model), file_result(wanted.report)], reads, feedback)
    with places, opened_scene(wanted.rasters, wanted.pretrained, feedback) as (worker, stack):
        labels = _labels(wanted, stack, feedback.part(0.0, _LABELLED, tr("Reading the polygons")))
        folder = worker.workspace.job_folder()
        reading = feedback.part(_LABELLED, _COPIED, tr("Reading the rasters"))
        tiles = copy_tiles(stack, labels, folder, seed=wanted.seed, feedback=reading)
        labels = used_labels(labels, tiles)
        feedback.info(*labels.sampled)
        written = folder / "model.safetensors"
        job = _job(wanted, stack, labels, tiles, str(written))
        trained = run_job(worker, job, feedback.part(_COPIED, _LEARNED), step_text)
        if not isinstance(trained, Trained):
            raise QgsProcessingException(tr("The worker did not train a model."))
        page = folder / "report.html"
        if wanted.report:
            page.write_text(_report(wanted.model, written, labels, trained).html(), encoding="utf-8")
        place_model(TRAINED if wanted.remembered else "", written, wanted.model, (page, wanted.report))
        if trained.partial:
            feedback.warn(tr("Cancelled: the model holds what was learned so far."))
    accuracy = _accuracy(trained, labels, feedback)
    tell_report(wanted.report, feedback)
    feedback.at(1.0)
    return accuracy


def _labels(wanted: Training, stack: ModalityStack, feedback: Feedback) -> Labels:
    """The labelled pixels; the log says how many there are, and what is odd about the polygons."""
    samples = wanted.samples
    labels = rasterise_labels(
        stack, samples.polygons, samples.crs_wkt, samples.field, wanted.holdout, wanted.seed, feedback
    )
    feedback.warn(*labels.warnings)
    feedback.info(*labels.notes)
    text = tr("{label}: {polygons}, {pixels} for training; {held}, {held_pixels} held out")
    for label, counts in zip(labels.classes, labels.counts):
        feedback.info(
            text.format(
                label=label.code_and_label,
                polygons=counted(counts.training_polygons, "polygon"),
                pixels=counted(counts.training_pixels, "pixel"),
                held=counted(counts.held_out_polygons, "polygon"),
                held_pixels=counted(counts.held_out_pixels, "pixel"),
            )
        )
    return labels


def _job(wanted: Training, stack: ModalityStack, labels: Labels, tiles: TileFiles, output: str) -> TrainJob:
    start = wanted.pretrained
    return TrainJob(
        tiles=tiles,
        modalities=stack.info(),
        scene=stack.scene_info(),
        classes=_classes(labels, wanted.samples),
        settings=wanted.settings,
        seed=wanted.seed,
        device=wanted.device,
        output=output,
        plugin_version=plugin_version(),
        samples_hash=labels.digest,
        polygons=_training_polygons(labels, wanted.samples, stack.grid.wkt),
        pretrained=start.path if start else None,
        pretrained_digest=start.digest if start else "",
        keep_partial=wanted.keep_partial,
        checkpoint=checkpoint_of(wanted.model),
        cache=read_preferences().pretraining_cache(profile_home()),
    )


def _classes(labels: Labels, samples: DrawnPolygons) -> tuple[ClassInfo, ...]:
    codes = [label.code for label in labels.classes]
    values = {label.code: str(label.value) for label in labels.classes}
    names = {label.code: label.name for label in labels.classes if label.name}
    return class_infos(codes, values, names, samples.legend)


def _training_polygons(labels: Labels, samples: DrawnPolygons, grid_wkt: str) -> TrainingPolygons:
    trained = set(labels.trained)
    drawn = [polygon for polygon in samples.polygons if polygon.fid in trained]
    return training_polygons(drawn, samples.crs_wkt or grid_wkt, [label.value for label in labels.classes])


def _report(model: str, written: Path, labels: Labels, trained: Trained) -> TrainingReport:
    return TrainingReport(
        model,
        read_header(str(written)),
        labels.counts,
        labels.coverage,
        labels.warnings,
        trained.curves,
        trained.partial,
        (*labels.notes, *labels.sampled),
    )


def _accuracy(trained: Trained, labels: Labels, feedback: Feedback) -> Optional[Accuracy]:
    """The figures, told to the log; None where nothing was held out."""
    if not any(map(sum, trained.confusion)):
        return None
    accuracy = accuracy_of(trained.confusion)
    reliability = Reliability(accuracy, [counts.held_out_polygons for counts in labels.counts])
    feedback.info(*labels.coverage, *reliability.sentences)
    return accuracy
