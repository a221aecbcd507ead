"""Classify folder: maps many scenes with one model, one after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingOutputFile

from ...model.shared.header import Header, ModelFileError
from ..feedback import Feedback
from ..preferences import wished_device
from ..translation import tr
from ..workflows.classify_folder import TABLE, FolderToMap, classify_folder
from ..workflows.default_places import MAPS_PLACE
from ..workflows.model_files import model_header, opened_model
from ..workflows.raster_inputs import nodata_values
from ..workflows.scene_files import Pattern, parse_patterns
from .base import BdgfAlgorithm
from .common_parameters import add_device, add_model, add_nodata, device_problem


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
        model = self.parameterAsFile(parameters, "MODEL", context)
        try:
            header = model_header(model, ("classifier",)) if model else None
        except ModelFileError as error:
            return str(error)
        problem = device_problem(self, parameters, context)
        if problem or header is None:
            return problem
        folder = self.parameterAsString(parameters, "FOLDER", context)
        if not folder and not self._files(parameters, context):
            return tr("Choose the folder with the scenes, or a list of files.")
        if folder and not Path(folder).is_dir():
            return tr("The folder {folder} is not there.").format(folder=folder)
        try:
            self._patterns(parameters, header, context)
            names = [modality.name for modality in header.modalities]
            nodata_values(names, self.parameterAsString(parameters, "NODATA", context))
        except ValueError as error:
            return str(error)
        return ""

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Map all scenes."""
        model = opened_model(self.parameterAsFile(parameters, "MODEL", context), ("classifier",))
        wanted = FolderToMap(
            model,
            self.parameterAsString(parameters, "FOLDER", context),
            tuple(self._files(parameters, context)),
            self._patterns(parameters, model.header, context),
            wished_device(self.parameterAsString(parameters, "DEVICE", context)),
            Path(self.parameterAsFileOutput(parameters, "OUTPUT_FOLDER", context)),
            self.parameterAsBool(parameters, "CONFIDENCE", context),
            self.parameterAsString(parameters, "NODATA", context),
        )
        mapped = classify_folder(wanted, feedback)
        return {
            "OUTPUT_FOLDER": str(wanted.output),
            "TABLE": str(wanted.table),
            "MAPS": mapped.maps,
            "FAILURES": mapped.failures,
        }

    def _files(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[Path]:
        return [Path(file) for file in self.parameterAsFileList(parameters, "FILES", context) if file]

    def _patterns(
        self, parameters: dict[str, Any], header: Header, context: QgsProcessingContext
    ) -> tuple[Pattern, ...]:
        text = self.parameterAsString(parameters, "PATTERNS", context)
        return parse_patterns(text, [modality.name for modality in header.modalities])
