"""Install environment: makes, renews or removes the Python in which BDGF computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingOutputString,
)

from ..engine.errors import EngineError, EnvironmentMissing
from ..environment.installation.errors import InstallationError
from ..environment.installation.home import remove_all
from ..environment.managed import environments
from ..environment.python import OWN_ENVIRONMENT
from ..feedback import Feedback, RunCancelled
from ..preferences import read_preferences
from ..resources import profile_home
from ..translation import tr
from ..workflows.environment_job import install_environment
from ..workflows.session import chosen_python, end_idle_worker
from .base import BdgfAlgorithm

ACTIONS = ["install", "reinstall", "remove"]
BACKENDS = ("auto", "cpu", "none")


class InstallEnvironment(BdgfAlgorithm):
    """Once per QGIS profile."""

    ID = "installenvironment"
    QUIET = 0.0

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Install environment")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Sets up PyTorch and what else BDGF computes with, once for this QGIS profile. It goes into a folder of "
            "its own in the profile: QGIS's own Python and other plugins are not touched. The first time, 0.3 to 3 GB "
            "are downloaded, depending on the graphics card.\n\n"
            "Run it again to repair an installation that broke off, or to update it after an update of the plugin; the "
            "old environment stays until the new one works. Proxy and certificates are those of QGIS's options."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("install,setup,torch,pytorch,environment,python,update,remove,uninstall")

    def declare(self) -> None:
        """Parameters and outputs."""
        self.add_choice(
            "ACTION",
            tr("What to do"),
            tr(
                "install: set up what is missing, repair what is broken. reinstall: make everything anew. remove: "
                "delete all that was installed."
            ),
            ACTIONS,
            "install",
        )
        self.add_text(
            "TORCH_BACKEND",
            tr("Build of PyTorch"),
            tr(
                "auto: the one that fits this computer's graphics card. cpu: the small one without GPU. none: whatever "
                "the package index offers, for closed networks. Also cu126, cu130 and so on. Empty: as in the options."
            ),
            "",
            BACKENDS,
            optional=True,
            advanced=True,
        )
        self.addOutput(QgsProcessingOutputString("PYTHON", tr("Python of the environment")))

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Run it."""
        action = self.parameterAsEnumString(parameters, "ACTION", context)
        try:
            if action == "remove":
                return self._remove(feedback)
            options = read_preferences().options
            backend = self.parameterAsString(parameters, "TORCH_BACKEND", context).strip()
            if backend:
                options = replace(options, torch_backend=backend)
            result = install_environment(options, feedback, anew=action == "reinstall")
        except RunCancelled as error:
            raise QgsProcessingException(tr("Cancelled; what was there before is unchanged.")) from error
        except (InstallationError, EngineError) as error:
            raise QgsProcessingException(str(error)) from error
        if result.was_there:
            feedback.info(tr("The environment is there already, up to date, and works."))
        else:
            feedback.info(tr("The environment is ready and works."))
        feedback.info(str(result.python))
        overruled = overruling_python()
        if overruled:
            feedback.warn(overruled)
        return {"PYTHON": str(result.python)}

    def _remove(self, feedback: Feedback) -> dict[str, Any]:
        end_idle_worker()  # on Windows its files could not be deleted
        home = profile_home()
        there = environments(home).exists()
        left = remove_all(home, read_preferences().cache_folder)
        if left:
            raise QgsProcessingException(left)
        feedback.info(tr("All that was installed is deleted.") if there else tr("Nothing was installed."))
        return {"PYTHON": ""}


def overruling_python() -> str:
    """A sentence where BDGF computes with another Python than that of its own environment; '' where it does not."""
    try:
        found = chosen_python()
    except EnvironmentMissing as error:
        return str(error)
    if found.where == OWN_ENVIRONMENT:
        return ""
    text = tr("The {where} names another Python ({path}), which BDGF goes on using.")
    return text.format(where=found.where, path=found.path)
