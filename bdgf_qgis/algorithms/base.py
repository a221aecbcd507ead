"""What the algorithms share beside declaring: what QGIS asks of them, and help made from their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape as _escape
from types import MappingProxyType
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
)
from qgis.PyQt.QtCore import QCoreApplication, QThread
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QWidget

from ..feedback import Feedback
from ..resources import icon
from ..translation import tr
from ..workflows.default_places import named_places, temporary_notes
from ..workflows.error_sentences import only_sentences
from ..workflows.qgis_feedback import QUIET, QgisFeedback
from .parameters import DeclaringAlgorithm
from .unloading import runs


def _text(plain: str) -> str:
    """For HTML; quotes stay, since qgis_process prints the help as it is."""
    return _escape(plain, quote=False).replace("\n", "<br/>")


@contextmanager
def _own_reference_systems() -> Iterator[None]:
    """Leaves in QGIS's caches no reference system that was made in a thread of its pool.

    QGIS hands a cached reference system to whoever asks next, but its PROJ object goes with the thread that made it,
    half a minute after that thread's last task: every layer of that system, and the project, would then have none.
    """
    try:
        yield
    finally:
        application = QCoreApplication.instance()
        if application is None or QThread.currentThread() != application.thread():
            QgsCoordinateTransform.invalidateCache()
            QgsCoordinateReferenceSystem.invalidateCache()


class BdgfAlgorithm(DeclaringAlgorithm):
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
            with only_sentences(self.ID), _own_reference_systems():
                runs.check()
                ours = self.problem(parameters, context)
        except QgsProcessingException as error:
            ours = str(error)
        return fine and not ours, ours or text

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Calls read_inputs(); nothing but a QgsProcessingException with a sentence leaves it."""
        with only_sentences(self.ID), runs.under_way(feedback), _own_reference_systems():
            self.read_inputs(parameters, context)
            self._places = named_places(self, parameters, context, self.scene())
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Calls execute(); nothing but a QgsProcessingException with a sentence leaves it."""
        with only_sentences(self.ID), runs.under_way(feedback), _own_reference_systems():
            shown = QgisFeedback(feedback, self.QUIET)
            results = self.execute({**parameters, **self._places}, context, shown)
            shown.warn(*temporary_notes(self, results))
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
        parts = [f"<p>{_text(paragraph)}</p>" for paragraph in self.about().split("\n\n")]
        shown = [parameter for parameter in self.parameterDefinitions() if parameter.help()]
        parts.append(f"<h3>{tr('Parameters')}</h3>")
        parts += [f"<p><b>{_text(one.description())}</b><br/>{_text(one.help())}</p>" for one in shown]
        numbers = [output for output in self.outputDefinitions() if self.parameterDefinition(output.name()) is None]
        if numbers:
            parts.append(f"<h3>{tr('Outputs')}</h3>")
            parts += [f"<p><b>{_text(one.name())}</b> {_text(one.description())}</p>" for one in numbers]
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
