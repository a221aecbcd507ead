"""Maps the scenes of a folder, one after another: what fails costs its scene alone, and a table tells of each."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingException

from ...model.shared.header import ModelFile
from ...model.shared.text import plain_text
from ..engine.errors import EnvironmentMissing
from ..feedback import Feedback
from ..files.conflicts import ReadFiles, spelling
from ..raster.errors import RasterError
from ..raster.reading.raster import describe
from ..raster.texts import counted
from ..translation import tr
from .classify import SceneToMap, classify_scene
from .error_sentences import only_sentences, told_to_user
from .raster_inputs import Rasters, match_scene
from .result_files import file_result, held_places
from .scene_files import FoundScenes, Pattern, SceneFiles, files_in, find_scenes
from .scene_table import CANCELLED, FAILED, MAPPED, NOT_BEGUN, SceneResult, SceneTable
from .session import session_series

TABLE = "bdgf_results.csv"
_SHOWN = 5  # names of files in a message


@dataclass(frozen=True)
class FolderToMap:
    """Where scenes are looked for, and how they are mapped.

    folder      is looked through for files; '' for none
    files       further files
    patterns    one for each raster of the model
    device      as messages name it
    output      the folder for results, named after their scenes, and for the table
    confidence  whether to write that, too
    nodata      additional no-data values, as nodata_values reads them
    """

    model: ModelFile
    folder: str
    files: tuple[Path, ...]
    patterns: tuple[Pattern, ...]
    device: str
    output: Path
    confidence: bool = False
    nodata: str = ""

    @property
    def table(self) -> Path:
        """The table of what came of each scene."""
        return self.output / TABLE


@dataclass(frozen=True)
class FolderMapped:
    """How many scenes were mapped, and how many failed."""

    maps: int
    failures: int


def classify_folder(wanted: FolderToMap, feedback: Feedback) -> FolderMapped:
    """Sort files into scenes and map one after another; a scene that fails is entered into the table as such.

    Raises QgsProcessingException, with what to do, where no scene was mapped or the run was cancelled: maps that are
    finished stay.
    """
    header = wanted.model.header
    with told_to_user():
        scenes = _scenes(wanted, feedback)
        reads = _files_read(wanted.model.path, scenes)
        with (
            held_places([file_result(str(wanted.table))], reads, feedback),
            SceneTable(wanted.table, header.classes) as table,
            session_series(),
        ):
            _Batch(wanted, table, reads).run(scenes, feedback)
    maps, failures = table.count(MAPPED), table.count(FAILED)
    summary = tr("Scenes mapped: {maps}; failed: {failures}. See {table}.").format(
        maps=maps, failures=failures, table=wanted.table
    )
    if feedback.is_cancelled():
        raise QgsProcessingException(tr("Cancelled; finished maps stay.") + " " + summary)
    if not maps:
        reason = next(row.message for row in table.rows if row.status == FAILED)
        raise QgsProcessingException(f"{summary} {reason}")
    feedback.info(summary)
    return FolderMapped(maps, failures)


def _scenes(wanted: FolderToMap, feedback: Feedback) -> tuple[SceneFiles, ...]:
    """The scenes, at least one of them complete."""
    files = list(wanted.files)
    if wanted.folder:
        known = set(files)
        files += [file for file in files_in(Path(wanted.folder), wanted.patterns, wanted.output) if file not in known]
    found = find_scenes(files, wanted.patterns)
    for file in found.unreadable:
        text = tr("The name of {file} has characters that cannot be read; it is left out: rename it.")
        feedback.warn(text.format(file=plain_text(str(file))))
    lines = _lines(wanted, found)
    if all(scene.problem for scene in found.scenes):
        text = tr(
            "No scene has a file for each pattern. {counts}. What * stands for must be the same in all files of a "
            "scene. Files there: {files}."
        )
        raise QgsProcessingException(text.format(counts="; ".join(lines), files=_some(files)))
    if any(file.parent.resolve() == wanted.output.resolve() for matched in found.by_pattern for file in matched):
        text = tr("The folder {folder} holds the rasters themselves: choose another one for the maps.")
        raise QgsProcessingException(text.format(folder=wanted.output))
    feedback.info(*lines)
    return found.scenes


def _lines(wanted: FolderToMap, found: FoundScenes) -> list[str]:
    """What each pattern found."""
    text = tr("{pattern} ({modality}) found {files}")
    return [
        text.format(pattern=pattern.text, modality=modality.name, files=counted(len(files), "file"))
        for pattern, modality, files in zip(wanted.patterns, wanted.model.header.modalities, found.by_pattern)
    ]


def _some(files: list[Path]) -> str:
    names = [plain_text(file.name) for file in files[:_SHOWN]]
    more = [f"... ({len(files)})"] if len(files) > _SHOWN else []
    return ", ".join([*names, *more]) or tr("none")


def _files_read(model: str, scenes: Iterable[SceneFiles]) -> ReadFiles:
    """All files that a batch reads; a raster that cannot be opened counts as it is named."""
    read = [model]
    for file in (file for scene in scenes for file in scene.files):
        try:
            read += describe(str(file), file.name).files
        except RasterError:
            read.append(str(file))
    return ReadFiles(read)


class _Batch:
    """Maps scene after scene and enters each into the table.

    reads  the files of all scenes, which no result may replace
    """

    def __init__(self, wanted: FolderToMap, table: SceneTable, reads: ReadFiles) -> None:
        self._wanted = wanted
        self._table = table
        self._reads = reads
        self._taken: set[str] = set()

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
        wanted, header = self._wanted, self._wanted.model.header
        with told_to_user():
            given = tuple(describe(str(file), file.name) for file in scene.files)
            match = match_scene(given, header, wanted.nodata)
        rasters = Rasters(given, given[match.reference], QgsCoordinateReferenceSystem(), match)
        target = self._path(f"{scene.name}.tif")
        confidence = self._path(f"{scene.name}_confidence.tif") if wanted.confidence else ""
        scene_to_map = SceneToMap(wanted.model, rasters, wanted.device, target, confidence, reads=self._reads)
        return classify_scene(scene_to_map, feedback).counts

    def _path(self, name: str) -> str:
        """The path of a result, which must not be that of another scene's."""
        if spelling(name) in self._taken:
            raise QgsProcessingException(tr("A result of another scene is named {name}, too.").format(name=name))
        self._taken.add(spelling(name))
        return str(self._wanted.output / name)
