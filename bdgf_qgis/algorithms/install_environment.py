"""Install environment: makes, renews or removes the Python in which BDGF computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingOutputString

from ..feedback import Feedback
from ..preferences import TORCH_BACKENDS, read_preferences
from ..translation import tr
from ..workflows.environment import install_environment, remove_environment
from .base import BdgfAlgorithm

ACTIONS = ["install", "reinstall", "remove"]


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
            TORCH_BACKENDS,
            optional=True,
            advanced=True,
        )
        self.addOutput(QgsProcessingOutputString("PYTHON", tr("Python of the environment")))

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Install or remove."""
        action = self.parameterAsEnumString(parameters, "ACTION", context)
        if action == "remove":
            remove_environment(feedback)
            return {"PYTHON": ""}
        options = read_preferences()
        backend = self.parameterAsString(parameters, "TORCH_BACKEND", context).strip()
        if backend:
            options = replace(options, torch_backend=backend)
        return {"PYTHON": str(install_environment(options, feedback, anew=action == "reinstall"))}
