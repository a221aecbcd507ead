"""Train: from polygons to a model."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext

from ...model.shared.settings import MOST_STEPS, PRESETS, PRIORS
from ..feedback import Feedback
from ..preferences import wished_device
from ..translation import tr
from ..workflows.default_places import MODEL_PLACE
from ..workflows.polygon_inputs import DEFAULT_CLASS_FIELD, polygons_of, polygons_problem
from ..workflows.raster_inputs import rasters_of
from ..workflows.train import Training, train_model
from .base import BdgfAlgorithm
from .common_parameters import (
    accuracy_results,
    add_accuracy,
    add_learned_rasters,
    add_nodata,
    add_preset,
    add_pretrained,
    add_seed_and_device,
    learning_problem,
    optional_integer,
    pretrained_of,
)
from .parameters import MODEL_FILES


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
            default=DEFAULT_CLASS_FIELD,
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
        add_accuracy(self, tr("Overall accuracy on held-out polygons, 0 to 1"))

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
        self._pretrained = pretrained_of(self, parameters, context)
        self._rasters = rasters_of(self, parameters, context)
        class_field = self.parameterAsString(parameters, "CLASS_FIELD", context)
        name_field = self.parameterAsString(parameters, "NAME_FIELD", context)
        self._samples = polygons_of(self, parameters, context, "SAMPLES", class_field, name_field)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Train."""
        preset = PRESETS[self.parameterAsEnumString(parameters, "PRESET", context)]
        prior = self.parameterAsEnumString(parameters, "CLASS_PRIOR", context)
        wanted = Training(
            self._rasters,
            self._samples,
            preset.with_prior(prior).with_steps(
                optional_integer(self, parameters, "PRETRAIN_STEPS", context),
                optional_integer(self, parameters, "STEPS", context),
            ),
            device=wished_device(self.parameterAsString(parameters, "DEVICE", context)),
            seed=self.parameterAsInt(parameters, "SEED", context),
            holdout=self.parameterAsDouble(parameters, "HOLDOUT", context),
            model=self.parameterAsFileOutput(parameters, "MODEL", context),
            report=self.parameterAsFileOutput(parameters, "REPORT", context),
            pretrained=self._pretrained,
            keep_partial=self.parameterAsBool(parameters, "KEEP_PARTIAL", context),
        )
        accuracy = train_model(wanted, feedback)
        return {"MODEL": wanted.model, "REPORT": wanted.report, **accuracy_results(accuracy)}
