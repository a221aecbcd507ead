"""What the algorithms share: parameters declared with key, label and help side by side, and help made from them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape as _escape
from types import MappingProxyType
from typing import Any, Optional, Union

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMatrix,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QWidget

from ..feedback import Feedback
from ..resources import icon
from ..translation import tr
from ..workflows.keeping import named_places, temporary_notes
from ..workflows.qgis_feedback import QUIET, QgisFeedback
from ..workflows.sentences import only_sentences
from .destinations import KeptFile, KeptFolder, KeptLayer
from .reference_systems import own_reference_systems
from .runs import runs

_OPTIONAL = QgsProcessingParameterDefinition.FlagOptional
_ADVANCED = QgsProcessingParameterDefinition.FlagAdvanced
MODEL_FILES = "BDGF (*.safetensors)"
REPORT_FILES = "HTML (*.html)"
Default = Union[None, str, int, float, bool, list]


def _text(plain: str) -> str:
    """For HTML; quotes stay, since qgis_process prints the help as it is."""
    return _escape(plain, quote=False).replace("\n", "<br/>")


class BdgfAlgorithm(QgsProcessingAlgorithm):
    """Base of all algorithms: the class attributes say what it is, `declare` what it takes and gives.

    ID           the public id, lower case
    STEP         its place in the usual work, shown before its name: QGIS sorts the toolbox by name; 0 for none
    NEEDS_TORCH  whether it runs the worker: opened in the window, it has the plugin offer what is missing
    QUIET        seconds between two texts about one phase of a run
    """

    ID = ""
    STEP = 0
    NEEDS_TORCH = False
    QUIET = QUIET
    _places: Mapping[str, Any] = MappingProxyType({})  # destinations with their words filled in, once prepared

    def title(self) -> str:
        """Its name, translated."""
        raise NotImplementedError

    def about(self) -> str:
        """What it does, one or two short paragraphs, translated; a blank line parts them."""
        raise NotImplementedError

    def keywords(self) -> str:
        """Words to find it by, translated, parted by commas."""
        return ""

    def declare(self) -> None:
        """Add parameters and outputs."""
        raise NotImplementedError

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with the values, as a sentence, before anything starts; '' where nothing is."""
        return ""

    def scene(self) -> str:
        """A name for the scene, once read_inputs() was called: results whose name was left to us are named after it."""
        return ""

    def read_inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Take what is needed from the layers. Raises QgsProcessingException where that fails."""

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Do the work and return every output. Raises QgsProcessingException where that fails."""
        raise NotImplementedError

    # ------------------------------------------------------------ what QGIS asks

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Our checks and QGIS's own; what ours say comes first, since they name the layer."""
        fine, text = super().checkParameterValues(parameters, context)
        try:
            with only_sentences(self.ID), own_reference_systems():
                runs.check()
                ours = self.problem(parameters, context)
        except QgsProcessingException as error:
            ours = str(error)
        return fine and not ours, ours or text

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Calls read_inputs(); nothing but a QgsProcessingException with a sentence leaves it."""
        with only_sentences(self.ID), runs.under_way(feedback), own_reference_systems():
            self.read_inputs(parameters, context)
            self._places = named_places(self, parameters, context, self.scene())
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Calls execute(); nothing but a QgsProcessingException with a sentence leaves it."""
        with only_sentences(self.ID), runs.under_way(feedback), own_reference_systems():
            shown = QgisFeedback(feedback, self.QUIET)
            results = self.execute({**parameters, **self._places}, context, shown)
            for note in temporary_notes(self, results):
                shown.warn(note)
            return results

    def hasHtmlOutputs(self) -> bool:
        """No, although reports are: of these the dialog says after every run, also a failed one, that they are there.

        It lists the reports that a run has really written among the results either way.
        """
        return False

    def createInstance(self) -> BdgfAlgorithm:
        """A fresh one for a run."""
        made = type(self)()
        runs.made(made)
        return made

    def name(self) -> str:
        """The public id."""
        return self.ID

    def displayName(self) -> str:
        """Name in the toolbox."""
        return f"{self.STEP} {self.title()}" if self.STEP else self.title()

    def group(self) -> str:
        """All stand in one group."""
        return tr("Land cover")

    def groupId(self) -> str:
        """The group's id."""
        return "landcover"

    def tags(self) -> list[str]:
        """Words to find it by."""
        common = tr("land cover,land use,LULC,classification,fusion,hyperspectral,multispectral,LiDAR,radar,BDGF")
        return [word.strip() for word in f"{common},{self.keywords()}".split(",") if word.strip()]

    def icon(self) -> QIcon:
        """The plugin's icon."""
        return icon()

    def shortDescription(self) -> str:
        """The first sentence of the help."""
        return self.about().split(". ")[0].rstrip(".") + "."

    def shortHelpString(self) -> str:
        """The help, written from the declared parameters and outputs."""
        parts = [f"<p>{_text(each)}</p>" for each in self.about().split("\n\n")]
        shown = [each for each in self.parameterDefinitions() if each.help()]
        parts.append(f"<h3>{tr('Parameters')}</h3>")
        parts += [f"<p><b>{_text(each.description())}</b><br/>{_text(each.help())}</p>" for each in shown]
        numbers = [each for each in self.outputDefinitions() if self.parameterDefinition(each.name()) is None]
        if numbers:
            parts.append(f"<h3>{tr('Outputs')}</h3>")
            parts += [f"<p><b>{_text(each.name())}</b> {_text(each.description())}</p>" for each in numbers]
        return "".join(parts)

    def createCustomParametersWidget(self, parent: Optional[QWidget] = None) -> Optional[QWidget]:
        """The usual dialog. QGIS asks for it in the window alone, which is the moment to offer PyTorch."""
        wanted = getattr(self.provider(), "torch_wanted", None)
        if self.NEEDS_TORCH and wanted is not None:
            wanted.emit()
        return None

    def initAlgorithm(self, configuration: Optional[dict[str, Any]] = None) -> None:
        """Add parameters and outputs."""
        self.declare()

    # ------------------------------------------------------------ parameters

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
        """A polygon layer that is written, to `place` where nothing else is said (see workflows/keeping.py)."""
        parameter = KeptLayer(key, label, QgsProcessing.TypeVectorPolygon, place)
        self.add(parameter, f"{help_text} {self._place_help()}")

    def add_kept_file(self, key: str, label: str, help_text: str, file_filter: str, place: str) -> None:
        """A file that is written, to `place` where nothing else is said (see workflows/keeping.py)."""
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
        """A folder that files are written to, `place` where nothing else is said (see workflows/keeping.py)."""
        self.add(KeptFolder(key, label, place), f"{help_text} {self._place_help()}")

    def add_number_result(self, key: str, label: str) -> None:
        """A number, for the log and for models."""
        self.addOutput(QgsProcessingOutputNumber(key, label))
