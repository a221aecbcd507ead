"""Runs one of the two algorithms inside QGIS with a profile of the test's own; prints what happens as JSON lines.

    python run_in_qgis.py PLUGINS PROFILE ALGORITHM PARAMETERS(JSON) [CANCEL_AT]

CANCEL_AT  a word: Cancel is pressed when the progress text holds it.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingProvider,
)
from qgis.PyQt.QtCore import QCoreApplication, QSettings

plugins, profile, name, parameters = sys.argv[1:5]
cancel_at = sys.argv[5] if len(sys.argv) > 5 else None
sys.path.insert(0, plugins)
QSettings.setDefaultFormat(QSettings.Format.IniFormat)  # settings of the profile, where QGIS keeps them
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, profile)
QCoreApplication.setOrganizationName("QGIS")
QCoreApplication.setApplicationName("QGIS3")
application = QgsApplication([], False, profile)
application.initQgis()

from bdgf.bdgf_qgis.algorithms.check_environment import CheckEnvironment  # noqa: E402
from bdgf.bdgf_qgis.algorithms.install_environment import InstallEnvironment  # noqa: E402


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


class Feedback(QgsProcessingFeedback):
    def setProgressText(self, text: str) -> None:
        say(percent=self.progress(), text=text)
        if cancel_at is not None and cancel_at in text:
            self.cancel()

    def pushInfo(self, info: str) -> None:
        say(info=info)

    def pushWarning(self, warning: str) -> None:
        say(warning=warning)

    def reportError(self, error: str, fatalError: bool = False) -> None:
        say(error=error)


class Provider(QgsProcessingProvider):
    def loadAlgorithms(self) -> None:
        self.addAlgorithm(InstallEnvironment())
        self.addAlgorithm(CheckEnvironment())

    def id(self) -> str:
        return "bdgf"

    def name(self) -> str:
        return "BDGF"


provider = Provider()
QgsApplication.processingRegistry().addProvider(provider)
algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"bdgf:{name}")
try:
    results, _ = algorithm.run(json.loads(parameters), QgsProcessingContext(), Feedback(), catchExceptions=False)
    say(results=results)
except QgsProcessingException as error:
    say(exception=str(error))
say(worker_libraries=sorted({"torch", "skimage", "safetensors"} & set(sys.modules)))
sys.stdout.flush()
os._exit(0)
