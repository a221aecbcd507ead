"""Check environment: does the worker run, on what, and if not on the GPU, why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingOutputBoolean,
    QgsProcessingOutputString,
)
from qgis.PyQt.QtCore import QT_VERSION_STR

from ..engine.errors import EngineError
from ..environment.diagnosis.interpreter import look_at
from ..feedback import Feedback, RunCancelled
from ..preferences import DEVICES, wished_device
from ..report.check import CheckReport
from ..resources import plugin_version
from ..translation import tr
from ..workflows.environment_job import diagnose_environment
from ..workflows.session import chosen_python
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
        """Run it."""
        wish = wished_device(self.parameterAsString(parameters, "DEVICE", context))
        paths = {key: self.parameterAsFileOutput(parameters, key, context) for key in ("REPORT", "TEXT")}
        try:
            python = chosen_python()
            looked = look_at(python.path)
            for each in looked.lacking:
                feedback.warn(each)
            diagnosis = diagnose_environment(wish, feedback)
        except RunCancelled as error:
            raise QgsProcessingException(tr("Cancelled.")) from error
        except EngineError as error:
            raise QgsProcessingException(str(error)) from error
        report = CheckReport(diagnosis, self._qgis())
        for line in report.text().splitlines():
            feedback.info(line)
        if not diagnosis.verdict.device:
            feedback.warn(diagnosis.verdict.sentence)
        for key, content in (("REPORT", report.html), ("TEXT", report.text)):
            if paths[key]:
                _write(paths[key], content())
        device = diagnosis.verdict.device
        return {**paths, "USED_DEVICE": device, "GPU": device not in ("", "cpu")}

    def _qgis(self) -> tuple[tuple[str, str], ...]:
        return (
            (tr("Plugin"), f"BDGF {plugin_version()}"),
            (tr("QGIS"), f"{Qgis.QGIS_VERSION}, Qt {QT_VERSION_STR}"),
        )


def _write(path: str, content: str) -> None:
    try:
        Path(path).write_text(content, encoding="utf-8")
    except OSError as error:
        raise QgsProcessingException(f"{path} cannot be written: {error.strerror}.") from error
