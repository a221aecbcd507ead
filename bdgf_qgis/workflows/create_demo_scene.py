"""Writes the demo scene: a simulated town, with legends and styles beside its rasters and in its polygons."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingException

from ..demo.materials import CLASSES
from ..demo.scene import DemoScene, scene_in, write_scene
from ..demo.sensors import BRIGHT, NATURAL
from ..feedback import Feedback
from ..files.conflicts import ReadFiles
from ..style.raster_style import class_style, image_style
from ..style.sample_style import store_sample_style
from ..translation import tr
from .error_sentences import told_to_user
from .result_files import file_result, held_places, raster_result


def create_demo_scene(folder: str, size: int, seed: int, feedback: Feedback) -> DemoScene:
    """Write the files of a town of `size` x `size` pixels to a folder.

    Raises QgsProcessingException, with what to do, where that fails or was cancelled; what was there stays then.
    """
    scene = scene_in(folder)
    places = [raster_result(str(raster)) for raster in (scene.optical, scene.dsm, scene.truth)]
    places += [file_result(str(polygons)) for polygons in (scene.training, scene.validation)]

    def decorate(path: Path, table: str) -> None:
        problem = store_sample_style(path, CLASSES, table)
        if problem:
            text = tr("The style of the polygons cannot be stored in {folder}: {reason}.")
            raise QgsProcessingException(text.format(folder=folder, reason=problem))

    with held_places(places, ReadFiles(), feedback), told_to_user():
        building = feedback.part(0.0, 0.95, tr("Building the town"))
        write_scene(folder, size, seed, building, class_style(CLASSES), image_style(NATURAL, BRIGHT), decorate)
    feedback.info(
        tr("Not loaded: {validation}, other polygons, for Assess; {truth}, the true land cover.").format(
            validation=scene.validation.name, truth=scene.truth.name
        )
    )
    feedback.at(1.0)
    return scene
