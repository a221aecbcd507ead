"""How parameters and results are declared: one call each, with key, label and help."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterDistance,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMatrix,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)

from ..translation import tr
from ..workflows.default_places import is_left_out

_OPTIONAL = QgsProcessingParameterDefinition.FlagOptional
_ADVANCED = QgsProcessingParameterDefinition.FlagAdvanced
MODEL_FILES = "BDGF (*.safetensors)"
REPORT_FILES = "HTML (*.html)"


class KeptFile(QgsProcessingParameterFileDestination):
    """A file. QGIS alone would refuse an empty cell of the batch dialog, and a call that leaves the file out."""

    def checkValueIsAcceptable(self, value: Any, context: Optional[QgsProcessingContext] = None) -> bool:
        """Anything that QGIS takes, or nothing."""
        return is_left_out(value) or super().checkValueIsAcceptable(value, context)


class KeptFolder(QgsProcessingParameterFolderDestination):
    """A folder, as KeptFile is a file."""

    def checkValueIsAcceptable(self, value: Any, context: Optional[QgsProcessingContext] = None) -> bool:
        """Anything that QGIS takes, or nothing."""
        return is_left_out(value) or super().checkValueIsAcceptable(value, context)


class KeptLayer(QgsProcessingParameterVectorDestination):
    """A layer, as KeptFile is a file."""

    def checkValueIsAcceptable(self, value: Any, context: Optional[QgsProcessingContext] = None) -> bool:
        """Anything that QGIS takes, or nothing."""
        sink = value.sink.staticValue() if isinstance(value, QgsProcessingOutputLayerDefinition) else value
        return is_left_out(sink) or super().checkValueIsAcceptable(value, context)


class DeclaringAlgorithm(QgsProcessingAlgorithm):
    """Declares what it takes and gives. Destinations are `kept` where their default is a place that stays."""

    def add(
        self,
        parameter: QgsProcessingParameterDefinition,
        help_text: str,
        optional: bool = False,
        advanced: bool = False,
    ) -> None:
        """Add a parameter with its help."""
        parameter.setHelp(help_text)
        flags = parameter.flags()
        if optional:
            flags |= _OPTIONAL
        if advanced:
            flags |= _ADVANCED
        parameter.setFlags(flags)
        self.addParameter(parameter)

    def add_rasters(self, key: str, label: str, help_text: str) -> None:
        """A list of raster layers, at least one."""
        parameter = QgsProcessingParameterMultipleLayers(key, label, QgsProcessing.TypeRaster)
        parameter.setMinimumNumberInputs(1)
        self.add(parameter, help_text)

    def add_raster(self, key: str, label: str, help_text: str, optional: bool = False) -> None:
        """One raster layer."""
        self.add(QgsProcessingParameterRasterLayer(key, label), help_text, optional)

    def add_polygons(self, key: str, label: str, help_text: str, optional: bool = False) -> None:
        """A polygon layer."""
        kinds = [QgsProcessing.TypeVectorPolygon]
        self.add(QgsProcessingParameterFeatureSource(key, label, kinds), help_text, optional)

    def add_field(
        self,
        key: str,
        label: str,
        help_text: str,
        layer: str,
        optional: bool = False,
        default: Optional[str] = None,
    ) -> None:
        """A field of the layer given under the key `layer`."""
        kind = QgsProcessingParameterField.Any
        self.add(QgsProcessingParameterField(key, label, default, layer, kind), help_text, optional)

    def add_extent(self, key: str, label: str, help_text: str) -> None:
        """An extent that may be left empty."""
        self.add(QgsProcessingParameterExtent(key, label), help_text, optional=True)

    def add_choice(
        self, key: str, label: str, help_text: str, options: list[str], default: str, advanced: bool = False
    ) -> None:
        """One of a few words, the same in every language and on the command line."""
        parameter = QgsProcessingParameterEnum(key, label, options, False, default, False, True)
        self.add(parameter, help_text, advanced=advanced)

    def add_text(
        self,
        key: str,
        label: str,
        help_text: str,
        default: str,
        hints: tuple[str, ...] = (),
        optional: bool = False,
        advanced: bool = False,
    ) -> None:
        """A text, with hints offered in a list."""
        parameter = QgsProcessingParameterString(key, label, default)
        if hints:
            parameter.setMetadata({"widget_wrapper": {"value_hints": list(hints)}})
        self.add(parameter, help_text, optional, advanced)

    def add_integer(
        self,
        key: str,
        label: str,
        help_text: str,
        default: Optional[int] = None,
        least: int = 0,
        most: int = 2_147_483_647,
        optional: bool = False,
        advanced: bool = False,
    ) -> None:
        """A whole number."""
        kind = QgsProcessingParameterNumber.Type.Integer
        parameter = QgsProcessingParameterNumber(key, label, kind, default, optional, least, most)
        self.add(parameter, help_text, optional, advanced)

    def add_share(self, key: str, label: str, help_text: str, default: float, most: float) -> None:
        """A number from 0 to `most`."""
        kind = QgsProcessingParameterNumber.Type.Double
        self.add(QgsProcessingParameterNumber(key, label, kind, default, False, 0.0, most), help_text)

    def add_distance(self, key: str, label: str, help_text: str, layer: str) -> None:
        """A distance in the units of the layer given under the key `layer`, which may be left empty."""
        self.add(QgsProcessingParameterDistance(key, label, None, layer, True, 0.0), help_text, optional=True)

    def add_switch(self, key: str, label: str, help_text: str, default: bool, advanced: bool = False) -> None:
        """Yes or no."""
        self.add(QgsProcessingParameterBoolean(key, label, default), help_text, advanced=advanced)

    def add_model(self, key: str, label: str, help_text: str, kinds: tuple[str, ...], optional: bool = False) -> None:
        """A model file that exists; the dialogs offer the newest ones of `kinds`."""
        behaviour = QgsProcessingParameterFile.File
        parameter = QgsProcessingParameterFile(key, label, behaviour, "", None, optional, MODEL_FILES)
        root = __name__.rpartition(".algorithms.")[0]
        parameter.setMetadata({"widget_wrapper": {"class": f"{root}.gui.model_file_box.ModelFileBox", "kinds": kinds}})
        self.add(parameter, help_text, optional)

    def add_folder(self, key: str, label: str, help_text: str, optional: bool = False) -> None:
        """A folder that exists."""
        behaviour = QgsProcessingParameterFile.Folder
        self.add(QgsProcessingParameterFile(key, label, behaviour, "", None, optional), help_text, optional)

    def add_files(self, key: str, label: str, help_text: str, optional: bool = False) -> None:
        """A list of files."""
        self.add(QgsProcessingParameterMultipleLayers(key, label, QgsProcessing.TypeFile), help_text, optional)

    def add_table(self, key: str, label: str, help_text: str, headers: list[str], default: list) -> None:
        """A table of free text."""
        self.add(QgsProcessingParameterMatrix(key, label, 0, False, headers, default), help_text)

    def add_crs(self, key: str, label: str, help_text: str, default: str) -> None:
        """A coordinate reference system."""
        self.add(QgsProcessingParameterCrs(key, label, default), help_text)

    # ------------------------------------------------------------ results

    def add_raster_result(self, key: str, label: str, help_text: str, optional: bool = False) -> None:
        """A raster that is written; an optional one is not made unless asked for."""
        parameter = QgsProcessingParameterRasterDestination(key, label, None, optional, not optional)
        self.add(parameter, help_text, optional)

    def add_kept_polygons(self, key: str, label: str, help_text: str, place: str) -> None:
        """A polygon layer that is written, to `place` where nothing else is said (see workflows/default_places.py)."""
        parameter = KeptLayer(key, label, QgsProcessing.TypeVectorPolygon, place)
        self.add(parameter, f"{help_text} {self._place_help()}")

    def add_points_result(self, key: str, label: str, help_text: str) -> None:
        """A point layer that is written."""
        self.add(QgsProcessingParameterVectorDestination(key, label, QgsProcessing.TypeVectorPoint), help_text)

    def add_kept_file(self, key: str, label: str, help_text: str, file_filter: str, place: str) -> None:
        """A file that is written, to `place` where nothing else is said (see workflows/default_places.py)."""
        self.add(KeptFile(key, label, file_filter, place), f"{help_text} {self._place_help()}")

    @staticmethod
    def _place_help() -> str:
        return tr(
            "{project} is the folder of the saved project or, without one, of your QGIS profile; {scene} and {date} "
            "are filled in, and a number where a file of that name is there. A temporary file is gone when QGIS is "
            "closed."
        )

    def add_file_result(self, key: str, label: str, help_text: str, file_filter: str, optional: bool = False) -> None:
        """A file that is written; an optional one is not made unless asked for."""
        parameter = QgsProcessingParameterFileDestination(key, label, file_filter, None, optional, not optional)
        self.add(parameter, help_text, optional)

    def add_report(self, help_text: str) -> None:
        """REPORT, a page: the dialogs make it unless it is switched off there, a call that leaves it out does not."""
        self.add(
            QgsProcessingParameterFileDestination("REPORT", tr("Report"), REPORT_FILES, None, True, True), help_text
        )

    def add_kept_folder(self, key: str, label: str, help_text: str, place: str) -> None:
        """A folder that files are written to, `place` where nothing else is said (see workflows/default_places.py)."""
        self.add(KeptFolder(key, label, place), f"{help_text} {self._place_help()}")

    def add_number_result(self, key: str, label: str) -> None:
        """A number, for the log and for models."""
        self.addOutput(QgsProcessingOutputNumber(key, label))
