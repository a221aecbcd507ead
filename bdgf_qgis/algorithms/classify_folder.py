"""Classify folder: maps many scenes with one model, one after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingOutputFile,
)

from ...model.shared.header import Header
from ...model.shared.text import plain_text
from ..feedback import Feedback
from ..preferences import wished_device
from ..raster.reading.source import RasterSource
from ..raster.texts import counted
from ..translation import tr
from ..workflows.keeping import MAPS_PLACE
from ..workflows.nodata_text import with_nodata
from ..workflows.placing import file_result, held_places
from ..workflows.running import model_header, opened_model, told_to_user
from ..workflows.scene_batch import Batch, files_read
from ..workflows.scene_files import Found, Pattern, files_in, find_scenes, parse_patterns
from ..workflows.scene_table import FAILED, MAPPED, SceneTable
from ..workflows.session import session_series
from .base import BdgfAlgorithm
from .common_parameters import add_device, add_model, add_nodata, device_problem, model_problem

TABLE = "bdgf_results.csv"
_SHOWN = 5  # names of files in a message


class ClassifyFolder(BdgfAlgorithm):
    """Writes a class raster for each scene, and a table of what came of them."""

    ID = "classifyfolder"
    NEEDS_TORCH = True

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Classify folder")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Maps all scenes of a folder with one model of Train. The files of a scene are found by patterns of their "
            "names. A scene that cannot be mapped is reported, and the rest go on; a table says what came of each.\n\n"
            "Each map is named after its scene and has its legend beside it; a map of that name that is there already "
            "is overwritten. Maps are not loaded into the project: add them from the Browser."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("batch,many,folder,directory,series,predict,inference,map,apply model")

    def declare(self) -> None:
        """Parameters and outputs."""
        add_model(self)
        self.add_folder("FOLDER", tr("Folder with scenes"), tr("Where the rasters lie."), optional=True)
        self.add_files(
            "FILES",
            tr("Or these files"),
            tr("Rasters of all scenes, instead of a folder or beside it; patterns sort them in the same way."),
            optional=True,
        )
        self.add_text(
            "PATTERNS",
            tr("Patterns of file names"),
            tr(
                "A pattern for each raster of the model, in the order of the training, parted by semicolons. * stands "
                "for the name of the scene: files belong together where it is the same.\n"
                "*_optical.tif; *_dsm.tif : a_optical.tif and a_dsm.tif are scene a, b_optical.tif and b_dsm.tif scene "
                "b.\n"
                "optical.tif; dsm.tif : a sub-folder for each scene, with these files in it. The same as "
                "*/optical.tif; */dsm.tif.\n"
                "*.tif : each GeoTIFF is a scene, for a model of one raster.\n"
                "Left empty, the names of the rasters in training serve, as in *optical.tif; *dsm.tif, and *.tif for "
                "a model of one raster. ? stands for any one character; upper and lower case do not matter."
            ),
            "",
            optional=True,
        )
        self.add_switch(
            "CONFIDENCE",
            tr("Write confidence, too"),
            tr("A second raster for each scene, its name ending in _confidence: the probability of the mapped class."),
            False,
        )
        add_device(self)
        add_nodata(
            self,
            tr("Names are those of the rasters in training. What the model remembers counts in any case."),
        )
        self.add_kept_folder(
            "OUTPUT_FOLDER",
            tr("Folder for maps"),
            tr(
                "Not the one that holds the rasters. The table {table} lies there as well: pixels, seconds and share "
                "of each class, or why a scene failed."
            ).format(table=TABLE),
            MAPS_PLACE,
        )
        self.addOutput(QgsProcessingOutputFile("TABLE", tr("Table of results (CSV)")))
        self.add_number_result("MAPS", tr("Number of maps"))
        self.add_number_result("FAILURES", tr("Number of scenes that could not be mapped"))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with the model file, the device, the folder or the patterns."""
        found = model_problem(self, parameters, "MODEL", ("classifier",), context)
        found = found or device_problem(self, parameters, context)
        model = self.parameterAsFile(parameters, "MODEL", context)
        if found or not model:
            return found
        folder = self.parameterAsString(parameters, "FOLDER", context)
        if not folder and not self._files(parameters, context):
            return tr("Choose the folder with the scenes, or a list of files.")
        if folder and not Path(folder).is_dir():
            return tr("The folder {folder} is not there.").format(folder=folder)
        try:
            header = model_header(model, ("classifier",))
            self._patterns(parameters, header, context)
            rasters = [RasterSource("", each.name) for each in header.modalities]
            with_nodata(rasters, self.parameterAsString(parameters, "NODATA", context))
        except ValueError as error:
            return str(error)
        return ""

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Sort files into scenes, map one after another."""
        output = Path(self.parameterAsFileOutput(parameters, "OUTPUT_FOLDER", context))
        device = wished_device(self.parameterAsString(parameters, "DEVICE", context))
        confidence = self.parameterAsBool(parameters, "CONFIDENCE", context)
        nodata = self.parameterAsString(parameters, "NODATA", context)
        with told_to_user():
            model = opened_model(self.parameterAsFile(parameters, "MODEL", context), ("classifier",))
            header = model.header
            found = self._found(parameters, header, output, feedback, context)
            reads = files_read(model.path, found.scenes)
            with (
                held_places([file_result(str(output / TABLE))], reads, feedback),
                SceneTable(output / TABLE, header.classes) as table,
                session_series(),
            ):
                Batch(model, device, output, confidence, nodata, table, reads).run(found.scenes, feedback)
        maps, failures = table.count(MAPPED), table.count(FAILED)
        summary = tr("Scenes mapped: {maps}; failed: {failures}. See {table}.").format(
            maps=maps, failures=failures, table=output / TABLE
        )
        if feedback.is_cancelled():
            raise QgsProcessingException(tr("Cancelled; finished maps stay.") + " " + summary)
        if not maps:
            reason = next(each.message for each in table.rows if each.status == FAILED)
            raise QgsProcessingException(f"{summary} {reason}")
        feedback.info(summary)
        return {"OUTPUT_FOLDER": str(output), "TABLE": str(output / TABLE), "MAPS": maps, "FAILURES": failures}

    def _files(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[Path]:
        return [Path(each) for each in self.parameterAsFileList(parameters, "FILES", context) if each]

    def _patterns(
        self, parameters: dict[str, Any], header: Header, context: QgsProcessingContext
    ) -> tuple[Pattern, ...]:
        text = self.parameterAsString(parameters, "PATTERNS", context)
        return parse_patterns(text, [each.name for each in header.modalities])

    def _found(
        self,
        parameters: dict[str, Any],
        header: Header,
        output: Path,
        feedback: Feedback,
        context: QgsProcessingContext,
    ) -> Found:
        """The scenes, at least one of them complete."""
        patterns = self._patterns(parameters, header, context)
        folder = self.parameterAsString(parameters, "FOLDER", context)
        files = self._files(parameters, context)
        if folder:
            known = set(files)
            files += [each for each in files_in(Path(folder), patterns, output) if each not in known]
        found = find_scenes(files, patterns)
        for each in found.unreadable:
            text = tr("The name of {file} has characters that cannot be read; it is left out: rename it.")
            feedback.warn(plain_text(text.format(file=each)))
        lines = [
            _count(pattern, modality.name, matched)
            for pattern, modality, matched in zip(patterns, header.modalities, found.by_pattern)
        ]
        if all(each.problem for each in found.scenes):
            text = tr(
                "No scene has a file for each pattern. {counts}. What * stands for must be the same in all files of a "
                "scene. Files there: {files}."
            )
            raise QgsProcessingException(text.format(counts="; ".join(lines), files=_some(files)))
        if any(each.parent.resolve() == output.resolve() for matched in found.by_pattern for each in matched):
            text = tr("The folder {folder} holds the rasters themselves: choose another one for the maps.")
            raise QgsProcessingException(text.format(folder=output))
        for line in lines:
            feedback.info(line)
        return found


def _count(pattern: Pattern, modality: str, files: tuple[Path, ...]) -> str:
    text = tr("{pattern} ({modality}) found {files}")
    return text.format(pattern=pattern.text, modality=modality, files=counted(len(files), "file"))


def _some(files: list[Path]) -> str:
    names = [plain_text(each.name) for each in files[:_SHOWN]]
    more = [f"... ({len(files)})"] if len(files) > _SHOWN else []
    return ", ".join([*names, *more]) or tr("none")
