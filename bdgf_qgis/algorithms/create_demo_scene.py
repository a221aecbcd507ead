"""Create demo scene: a simulated town to try everything on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputRasterLayer,
    QgsProcessingOutputVectorLayer,
)

from ..demo.materials import CLASSES
from ..demo.scene import LEAST_SIZE, write_scene
from ..raster.errors import RasterCancelled
from ..style.raster_style import class_style
from ..style.sample_style import store_sample_style
from ..translation import tr
from .base import BdgfAlgorithm
from .placing import write_text
from .running import part, told_to_user


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
        self.add_folder_result(
            "FOLDER", tr("Folder"), tr("Where the five files are written; equal names are replaced.")
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

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Write the files."""
        folder = self.parameterAsString(parameters, "FOLDER", context)
        size = self.parameterAsInt(parameters, "SIZE", context)
        seed = self.parameterAsInt(parameters, "SEED", context)

        def check() -> None:
            if feedback.isCanceled():
                raise RasterCancelled

        with told_to_user():
            scene = write_scene(folder, size, seed, part(feedback, 0, 95, tr("Building the town")), check)
        write_text(str(scene.truth.with_suffix(".qml")), class_style(CLASSES))
        for path in (scene.training, scene.validation):
            problem = store_sample_style(path, CLASSES)
            if problem:
                text = tr("The style of {path} cannot be stored: {reason}.")
                raise QgsProcessingException(text.format(path=path, reason=problem))
        feedback.setProgress(100)
        return {
            "FOLDER": str(Path(folder)),
            "OPTICAL": str(scene.optical),
            "DSM": str(scene.dsm),
            "TRAINING": str(scene.training),
            "VALIDATION": str(scene.validation),
            "TRUTH": str(scene.truth),
        }
