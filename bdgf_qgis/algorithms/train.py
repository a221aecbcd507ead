"""Train: from polygons to a model."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingException

from ...model.shared.accuracy import accuracy_of
from ...model.shared.header import read_header
from ...model.shared.messages import Trained, TrainingPolygons, TrainJob
from ...model.shared.settings import MOST_STEPS, PRESETS, PRIORS
from ..engine.run import run_job
from ..feedback import Feedback
from ..files.conflicts import ReadFiles
from ..preferences import wished_device
from ..raster.samples.labels import Labels, rasterise_labels
from ..raster.samples.polygon_digests import training_polygons
from ..raster.samples.tiles import used_labels
from ..raster.texts import counted
from ..report.reliability import Reliability
from ..report.training import TrainingReport
from ..resources import plugin_version
from ..style.legend import Legend, class_infos
from ..translation import tr
from ..workflows.inputs import Samples, optional_integer, rasters_of, samples_of
from ..workflows.keeping import MODEL_PLACE
from ..workflows.pace_text import step_text
from ..workflows.placing import file_result, held_places, put_all_in_place
from ..workflows.polygon_layers import polygons_problem
from ..workflows.recent_models import TRAINED, remember_model
from ..workflows.running import opened_scene, tell_report, told_to_user, warn
from .base import MODEL_FILES, BdgfAlgorithm
from .common_parameters import (
    add_learned_rasters,
    add_nodata,
    add_preset,
    add_pretrained,
    add_seed_and_device,
)
from .learning import (
    checkpoint_of,
    learning_problem,
    model_result,
    pretrained_of,
    remove_checkpoint,
    scene_tiles,
)


class Train(BdgfAlgorithm):
    """Writes a model that classifies."""

    ID = "train"
    STEP = 2
    NEEDS_TORCH = True

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Train")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Trains a land-cover model on polygons drawn over one or more co-registered rasters. Some polygons are "
            "kept out of training, and the report says how well the model maps them.\n\n"
            "Give the model to Classify, with these rasters or with those of other scenes that have the same bands."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr(
            "supervised,learning,samples,polygons,neural network,deep learning,random forest,SVM,machine learning"
        )

    def declare(self) -> None:
        """Parameters and outputs."""
        add_learned_rasters(self)
        self.add_polygons(
            "SAMPLES",
            tr("Training polygons"),
            tr("Polygons with a class, in any coordinate system. Selection, filters and unsaved edits count."),
        )
        self.add_field(
            "CLASS_FIELD",
            tr("Class field"),
            tr("Whole numbers from 0 to 65,535, or texts. Polygons without a class are skipped."),
            "SAMPLES",
            default="class_id",
        )
        self.add_field(
            "NAME_FIELD",
            tr("Name field"),
            tr("Names of the classes for the legend; left empty, the layer's own legend serves."),
            "SAMPLES",
            optional=True,
        )
        add_preset(self)
        add_pretrained(self, tr("A model of Pre-train on the same bands; left empty, this scene is learned first."))
        self.add_share(
            "HOLDOUT",
            tr("Share of polygons kept for the accuracy figures"),
            tr(
                "By whole polygons, at least one of each class that has three apart from each other; 0 trains on all "
                "and gives no figures."
            ),
            0.2,
            0.9,
        )
        add_seed_and_device(self)
        empty = tr("Left empty, the preset's number.")
        self.add_integer(
            "PRETRAIN_STEPS", tr("Steps of pre-training"), empty, None, 0, MOST_STEPS, optional=True, advanced=True
        )
        self.add_integer("STEPS", tr("Steps of training"), empty, None, 1, MOST_STEPS, optional=True, advanced=True)
        self.add_choice(
            "CLASS_PRIOR",
            tr("Expected class shares"),
            tr(
                "How often each class is expected where pixels leave doubt. drawn: as the drawn polygons show it. "
                "equal: all alike, so that rare classes are found more often, and taken for granted more often. "
                "learned: between the two, the usual choice."
            ),
            list(PRIORS),
            "learned",
            advanced=True,
        )
        add_nodata(self, tr("The model remembers them."))
        self.add_switch(
            "KEEP_PARTIAL",
            tr("Keep the state reached on cancel"),
            tr("Cancelled while the classifier learns, the model is written as it is, without accuracy figures."),
            False,
            advanced=True,
        )
        self.add_kept_file("MODEL", tr("Model"), tr("The model file to write."), MODEL_FILES, MODEL_PLACE)
        self.add_report(tr("Accuracy, samples and course of the training."))
        self.add_number_result("OVERALL_ACCURACY", tr("Overall accuracy on held-out polygons, 0 to 1"))
        self.add_number_result("AVERAGE_ACCURACY", tr("Mean of the classes' accuracies, 0 to 1"))
        self.add_number_result("KAPPA", tr("Cohen's kappa"))

    def scene(self) -> str:
        """The name of the raster whose grid rules."""
        return self._rasters.grid.name

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with the pre-trained model, the device, the rasters or the polygons."""
        return learning_problem(self, parameters, context) or polygons_problem(
            self, parameters, context, "SAMPLES", "CLASS_FIELD", "NAME_FIELD"
        )

    def read_inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Take what is needed from the layers."""
        self._rasters = rasters_of(self, parameters, context)
        class_field = self.parameterAsString(parameters, "CLASS_FIELD", context)
        name_field = self.parameterAsString(parameters, "NAME_FIELD", context)
        self._samples = samples_of(self, parameters, context, "SAMPLES", class_field, name_field)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Rasterise, copy tiles, learn, put model and report in place."""
        model = self.parameterAsFileOutput(parameters, "MODEL", context)
        report = self.parameterAsFileOutput(parameters, "REPORT", context)
        with told_to_user():
            pretrained = pretrained_of(self, parameters, context)
            starting = [pretrained.path] if pretrained else []
            reads = ReadFiles([*self._rasters.files, *self._samples.files, *starting])
        places = held_places([model_result(model), file_result(report)], reads, feedback)
        seed = self.parameterAsInt(parameters, "SEED", context)
        preset = PRESETS[self.parameterAsEnumString(parameters, "PRESET", context)]
        settings = preset.with_prior(self.parameterAsEnumString(parameters, "CLASS_PRIOR", context)).with_steps(
            optional_integer(self, parameters, "PRETRAIN_STEPS", context),
            optional_integer(self, parameters, "STEPS", context),
        )
        with places, opened_scene(self._rasters, pretrained, feedback) as (worker, stack):
            feedback.at(0.0, tr("Reading the polygons"))
            holdout = self.parameterAsDouble(parameters, "HOLDOUT", context)
            labels = rasterise_labels(
                stack,
                self._samples.polygons,
                self._samples.crs_wkt,
                self._samples.field,
                holdout,
                seed,
                feedback,
            )
            _describe(labels, feedback)
            folder = worker.workspace.job_folder()
            tiles = scene_tiles(stack, labels, folder, seed, feedback, 0.02)
            labels = used_labels(labels, tiles)
            for sentence in labels.sampled:
                feedback.info(sentence)
            job = TrainJob(
                tiles=tiles,
                modalities=stack.info(),
                scene=stack.scene_info(),
                classes=_classes(labels, self._samples.legend),
                settings=settings,
                seed=seed,
                device=wished_device(self.parameterAsString(parameters, "DEVICE", context)),
                output=str(folder / "model.safetensors"),
                plugin_version=plugin_version(),
                samples_hash=labels.digest,
                polygons=_training_polygons(labels, self._samples, stack.grid.wkt),
                pretrained=pretrained.path if pretrained else None,
                pretrained_digest=pretrained.digest if pretrained else "",
                keep_partial=self.parameterAsBool(parameters, "KEEP_PARTIAL", context),
                checkpoint=checkpoint_of(model),
            )
            trained = run_job(worker, job, feedback.part(0.08, 0.98), step_text)
            if not isinstance(trained, Trained):
                raise QgsProcessingException(tr("The worker did not train a model."))
            header = read_header(job.output)
            if report:
                page = TrainingReport(
                    model,
                    header,
                    labels.counts,
                    labels.coverage,
                    labels.warnings,
                    trained.curves,
                    trained.partial,
                    (*labels.notes, *labels.sampled),
                )
                (folder / "report.html").write_text(page.html(), encoding="utf-8")
            put_all_in_place([(folder / "model.safetensors", model), (folder / "report.html", report)])
            remove_checkpoint(model)
            remember_model(TRAINED, model)
            if trained.partial:
                feedback.warn(tr("Cancelled: the model holds what was learned so far."))
        figures = _figures(trained, labels, feedback)
        tell_report(report, feedback)
        feedback.at(1.0)
        return {"MODEL": model, "REPORT": report, **figures}


def _classes(labels: Labels, legend: Legend) -> Any:
    codes = [each.code for each in labels.classes]
    values = {each.code: str(each.value) for each in labels.classes}
    names = {each.code: each.name for each in labels.classes if each.name}
    return class_infos(codes, values, names, legend)


def _training_polygons(labels: Labels, samples: Samples, grid_wkt: str) -> TrainingPolygons:
    trained = set(labels.trained)
    drawn = [each for each in samples.polygons if each.fid in trained]
    return training_polygons(drawn, samples.crs_wkt or grid_wkt, [each.value for each in labels.classes])


def _describe(labels: Labels, feedback: Feedback) -> None:
    warn(labels.warnings, feedback)
    for sentence in labels.notes:
        feedback.info(sentence)
    for each, counts in zip(labels.classes, labels.counts):
        text = tr("{label}: {polygons}, {pixels} for training; {held}, {held_pixels} held out")
        feedback.info(
            text.format(
                label=each.code_and_label,
                polygons=counted(counts.training_polygons, "polygon"),
                pixels=counted(counts.training_pixels, "pixel"),
                held=counted(counts.held_out_polygons, "polygon"),
                held_pixels=counted(counts.held_out_pixels, "pixel"),
            )
        )


def _figures(trained: Trained, labels: Labels, feedback: Feedback) -> dict[str, Any]:
    if not any(map(sum, trained.confusion)):
        return {"OVERALL_ACCURACY": None, "AVERAGE_ACCURACY": None, "KAPPA": None}
    accuracy = accuracy_of(trained.confusion)
    reliability = Reliability(accuracy, [each.held_out_polygons for each in labels.counts])
    for sentence in (*labels.coverage, *reliability.sentences):
        feedback.info(sentence)
    return {"OVERALL_ACCURACY": accuracy.overall, "AVERAGE_ACCURACY": accuracy.average, "KAPPA": accuracy.kappa}
