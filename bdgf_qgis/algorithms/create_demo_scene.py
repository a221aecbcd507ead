"""Create demo scene: a simulated town to try everything on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingOutputRasterLayer,
    QgsProcessingOutputVectorLayer,
)

from ..demo.materials import CLASSES
from ..demo.scene import LEAST_SIZE
from ..demo.sensors import BRIGHT, NATURAL
from ..feedback import Feedback
from ..style.post_processor import style_when_loaded
from ..style.raster_style import image_renderer, style_raster
from ..style.sample_style import style_samples
from ..translation import tr
from ..workflows.create_demo_scene import create_demo_scene
from ..workflows.default_places import DEMO_PLACE
from .base import BdgfAlgorithm


class CreateDemoScene(BdgfAlgorithm):
    """Writes the rasters and polygons of a town."""

    ID = "createdemoscene"

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Create demo scene")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Writes a simulated town: an image of 24 bands with pixels of 2 m, a surface model with pixels of 3 m, "
            "polygons to train on, others to check with, and the truth.\n\n"
            "Roads and flat roofs are of one asphalt, pavements and other roofs of one concrete, lawns and trees of "
            "one leaf: only both rasters together tell them apart. Reflectances are synthetic."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("example,sample data,tutorial,synthetic,simulation")

    def declare(self) -> None:
        """Parameters and outputs."""
        self.add_kept_folder(
            "FOLDER", tr("Folder"), tr("Where the files are written; equal names are replaced."), DEMO_PLACE
        )
        self.add_integer(
            "SIZE", tr("Size in pixels"), tr("Side of the square scene; a pixel is 2 m."), 300, LEAST_SIZE, 60_000
        )
        self.add_integer("SEED", tr("Seed"), tr("Another seed is another town."), 0)
        self.addOutput(QgsProcessingOutputRasterLayer("OPTICAL", tr("Optical image")))
        self.addOutput(QgsProcessingOutputRasterLayer("DSM", tr("Surface model")))
        polygons = QgsProcessing.TypeVectorPolygon
        self.addOutput(QgsProcessingOutputVectorLayer("TRAINING", tr("Training polygons"), polygons))
        self.addOutput(QgsProcessingOutputVectorLayer("VALIDATION", tr("Validation polygons"), polygons))
        self.addOutput(QgsProcessingOutputRasterLayer("TRUTH", tr("True land cover")))

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Write the files."""
        folder = self.parameterAsFileOutput(parameters, "FOLDER", context)
        size = self.parameterAsInt(parameters, "SIZE", context)
        scene = create_demo_scene(folder, size, self.parameterAsInt(parameters, "SEED", context), feedback)
        for path, name in ((scene.optical, "OPTICAL"), (scene.dsm, "DSM"), (scene.training, "TRAINING")):
            details = QgsProcessingContext.LayerDetails(path.stem, context.project(), name)
            context.addLayerToLoadOnCompletion(str(path), details)
        style_when_loaded(
            context,
            str(scene.optical),
            lambda layer: style_raster(layer, image_renderer(NATURAL, BRIGHT, layer.dataProvider())),
        )
        style_when_loaded(context, str(scene.training), lambda layer: style_samples(layer, CLASSES))
        return {
            "FOLDER": str(Path(folder)),
            "OPTICAL": str(scene.optical),
            "DSM": str(scene.dsm),
            "TRAINING": str(scene.training),
            "VALIDATION": str(scene.validation),
            "TRUTH": str(scene.truth),
        }
