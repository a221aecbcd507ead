"""Maps scenes one after another: what fails costs its scene alone."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingException,
)

from ...model.shared.header import ModelFile
from ..engine.errors import EnvironmentMissing
from ..feedback import Feedback
from ..files.conflicts import ReadFiles, spelling
from ..raster.errors import RasterError
from ..raster.output.class_table import class_counts
from ..raster.reading.source import RasterSource, files_of
from ..translation import tr
from .classifying import SceneToMap, classify_scene
from .inputs import Rasters
from .matching import match_modalities
from .nodata_text import with_nodata
from .reference_grid import nearest
from .running import told_to_user
from .scene_files import SceneFiles
from .scene_table import CANCELLED, FAILED, MAPPED, NOT_BEGUN, SceneResult, SceneTable
from .sentences import only_sentences


class Batch:
    """Maps scene after scene and enters each into the table.

    Args:
        model: the model file as it is at the beginning; all scenes are mapped with it.
        device: as messages name it.
        output: the folder for results, named after their scenes.
        confidence: whether to write that, too.
        nodata: additional no-data values, as nodata_text reads them.
        reads: the files of all scenes, which no result may replace.
    """

    def __init__(
        self,
        model: ModelFile,
        device: str,
        output: Path,
        confidence: bool,
        nodata: str,
        table: SceneTable,
        reads: ReadFiles,
    ) -> None:
        self._model = model
        self._device = device
        self._output = output
        self._confidence = confidence
        self._nodata = nodata
        self._table = table
        self._taken: set[str] = set()
        self._reads = reads

    def run(self, scenes: tuple[SceneFiles, ...], feedback: Feedback) -> None:
        """All scenes; those after Cancel are entered as not begun.

        Raises QgsProcessingException where there is no Python for the worker; what else fails costs its scene alone.
        """
        for number, scene in enumerate(scenes):
            if feedback.is_cancelled():
                self._table.add(SceneResult(scene.name, NOT_BEGUN))
                continue
            text = tr("Scene {number} of {count}: {name}")
            feedback.info(text.format(number=number + 1, count=len(scenes), name=scene.name))
            began = time.monotonic()
            try:
                with only_sentences(tr("the scene {name}").format(name=scene.name)):
                    counts = self._map(scene, feedback.part(number / len(scenes), (number + 1) / len(scenes)))
            except QgsProcessingException as error:
                if isinstance(error.__cause__, EnvironmentMissing):
                    raise
                seconds = time.monotonic() - began
                cut = feedback.is_cancelled()
                status = CANCELLED if cut else FAILED
                self._table.add(SceneResult(scene.name, status, seconds=seconds, message=str(error)))
                feedback.note("info" if cut else "error", f"{scene.name}: {error}")
            else:
                seconds = time.monotonic() - began
                self._table.add(SceneResult(scene.name, MAPPED, f"{scene.name}.tif", counts, seconds))

    def _map(self, scene: SceneFiles, feedback: Feedback) -> tuple[int, ...]:
        """Pixels per class of the map. Raises QgsProcessingException."""
        if scene.problem:
            raise QgsProcessingException(scene.problem)
        sources = tuple(RasterSource(str(each), each.name) for each in scene.files)
        with told_to_user():
            matched = match_modalities(sources, self._model.header.modalities).sources
            grid = nearest(matched, self._model.header)
            names = [each.name for each in self._model.header.modalities]
            sources = with_nodata(matched, self._nodata, names)
        rasters = Rasters(sources, grid, QgsCoordinateReferenceSystem())
        target = self._claimed(f"{scene.name}.tif")
        confidence = self._claimed(f"{scene.name}_confidence.tif") if self._confidence else ""
        wanted = SceneToMap(self._model, rasters, self._device, target, confidence, reads=self._reads)
        classify_scene(wanted, feedback)
        with told_to_user():
            return tuple(class_counts(target, [each.code for each in self._model.header.classes]))

    def _claimed(self, name: str) -> str:
        """The path of a result, which must not be that of another scene's."""
        path = self._output / name
        if spelling(name) in self._taken:
            raise QgsProcessingException(tr("A result of another scene is named {name}, too.").format(name=name))
        self._taken.add(spelling(name))
        return str(path)


def files_read(model: str, scenes: Iterable[SceneFiles]) -> ReadFiles:
    """All files that a batch reads; a raster that cannot be opened counts as it is named."""
    found = [model]
    for each in (file for scene in scenes for file in scene.files):
        try:
            found += files_of(RasterSource(str(each), each.name))
        except RasterError:
            found.append(str(each))
    return ReadFiles(found)
