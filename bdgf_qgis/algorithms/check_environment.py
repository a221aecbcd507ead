"""Check environment: does the worker run, on what, and if not on the GPU, why."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingOutputBoolean, QgsProcessingOutputString

from ..feedback import Feedback
from ..preferences import DEVICES, wished_device
from ..translation import tr
from ..workflows.environment import check_environment
from .base import BdgfAlgorithm


class CheckEnvironment(BdgfAlgorithm):
    """Tries each device with each kind of computation."""

    ID = "checkenvironment"

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Check environment")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Says which Python, PyTorch build, graphics card and driver BDGF computes with. Each kind of computation "
            "that the network uses is run on each device, compared with the CPU, and timed; a sentence says which "
            "device will be used and, if it is not the graphics card, why.\n\n"
            "The report holds no user name and no computer name: paste it into a bug report."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("check,diagnose,gpu,cuda,torch,pytorch,bug report")

    def declare(self) -> None:
        """Parameters and outputs."""
        self.add_text(
            "DEVICE",
            tr("Device"),
            tr(
                "The device you want to use: cpu, cuda, cuda:1, mps ...; auto: as set in Settings > Options > BDGF. "
                "All devices are tried in any case."
            ),
            "auto",
            DEVICES,
        )
        page, text = tr("HTML files (*.html)"), tr("Text files (*.txt)")
        self.add_file_result("REPORT", tr("Report"), tr("The report as a page."), page, optional=True)
        self.add_file_result("TEXT", tr("Report as text"), tr("The report as text."), text, optional=True)
        self.addOutput(QgsProcessingOutputString("USED_DEVICE", tr("Device that will be used")))
        self.addOutput(QgsProcessingOutputBoolean("GPU", tr("Whether it is a graphics card")))

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Check."""
        wish = wished_device(self.parameterAsString(parameters, "DEVICE", context))
        report, text = (self.parameterAsFileOutput(parameters, key, context) for key in ("REPORT", "TEXT"))
        device = check_environment(wish, report, text, feedback).device
        return {"REPORT": report, "TEXT": text, "USED_DEVICE": device, "GPU": device not in ("", "cpu")}
