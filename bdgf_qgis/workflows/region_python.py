"""The Python that finds regions: that of the worker or, before one is set up, QGIS's own where it has scikit-image."""

from __future__ import annotations

from qgis.core import QgsApplication

from ..engine.errors import EnvironmentMissing
from ..engine.worker import WorkerCommand
from ..environment.installation.qgis_python import find_qgis_python
from ..environment.installation.system import this_system
from ..environment.interpreter import Interpreter, ask_python
from ..environment.python import WorkerPython, worker_command
from ..environment.variables import child_variables
from ..translation import tr
from .session import chosen_python

_NEEDED = ("numpy", "scipy", "scikit-image")


def region_command() -> WorkerCommand:
    """What starts the worker of regions, which loads no torch.

    Raises EnvironmentMissing, with what to install, where no Python for it is known.
    """
    return worker_command(region_python(), torch=False)


def region_python() -> WorkerPython:
    """Where regions are found. Raises EnvironmentMissing, with what to install, where no Python for it is known."""
    try:
        return chosen_python()
    except EnvironmentMissing as error:
        system = this_system(QgsApplication.applicationDirPath())
        found = find_qgis_python(
            system, _fits, child_variables(), lambda path, variables: ask_python(path, variables, _NEEDED)
        )
        if found is None:
            text = tr(
                "Growing and segments need scikit-image: run 'Install environment' (bdgf:installenvironment) once, or "
                "install the package scikit-image for the Python of QGIS."
            )
            raise EnvironmentMissing(text) from error
        return WorkerPython(found.path, "Python of QGIS")


def _fits(python: Interpreter) -> bool:
    return python.runs_worker and {name for name, _ in python.packages} == set(_NEEDED)
