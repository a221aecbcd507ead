"""Create training layer: an empty polygon layer whose form offers the classes."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingException

from ..feedback import Feedback
from ..style.post_processor import style_when_loaded
from ..style.sample_style import style_samples
from ..translation import tr
from ..workflows.create_training_layer import TrainingLayer, create_training_layer, parse_classes
from ..workflows.default_places import SAMPLES_PLACE
from .base import BdgfAlgorithm

_EXAMPLE = [1, "Water", "#1f78b4", 2, "Trees", "#1b7837", 3, "Grass", "#a6d96a", 4, "Built-up", "#d7301f"]


class CreateTrainingLayer(BdgfAlgorithm):
    """Writes a GeoPackage of no polygons yet, with style and form."""

    ID = "createtraininglayer"
    STEP = 1

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Create training layer")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Makes an empty polygon layer to draw training areas in. Each polygon drawn asks for its class in a list; "
            "the layer shows the classes in their colours, and both travel in the GeoPackage.\n\n"
            "Switch on editing, draw a few polygons a class inside areas that are of one kind, and give the layer to "
            "Train. Small polygons spread over the scene serve better than few large ones."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("samples,polygons,digitise,regions of interest,ROI,ground truth,legend")

    def declare(self) -> None:
        """Parameters and outputs."""
        self.add_table(
            "CLASSES",
            tr("Classes"),
            tr(
                "One row a class: a code from 0 to 65,535 that stands in the map, a name, and a colour such as "
                "#1f78b4 (left empty, one is chosen). On the command line a flat list: code, name, colour, code, ..."
            ),
            [tr("Code"), tr("Name"), tr("Colour")],
            _EXAMPLE,
        )
        self.add_crs(
            "CRS",
            tr("Coordinate reference system"),
            tr("The system to draw in; that of the map or of the rasters. Others are brought together in training."),
            "ProjectCrs",
        )
        self.add_kept_polygons(
            "OUTPUT",
            tr("Training layer"),
            tr("The GeoPackage (.gpkg) to make. A file that you name is replaced."),
            SAMPLES_PLACE,
        )

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with the table of classes."""
        try:
            parse_classes(self.parameterAsMatrix(parameters, "CLASSES", context))
        except ValueError as error:
            return str(error)
        return ""

    def read_inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """The reference system: it may be the project's."""
        self._crs = self.parameterAsCrs(parameters, "CRS", context)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Write the file."""
        try:
            classes = parse_classes(self.parameterAsMatrix(parameters, "CLASSES", context))
        except ValueError as error:
            raise QgsProcessingException(str(error)) from error
        destination = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        create_training_layer(TrainingLayer(destination, self._crs, classes), context.transformContext(), feedback)
        style_when_loaded(context, destination, lambda layer: style_samples(layer, classes))
        return {"OUTPUT": destination}
