"""The installation as QGIS starts it: facts, settings and network gathered, and the proof that the worker runs."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsApplication

from ..engine.client import Worker
from ..engine.errors import WorkerDied, WorkerFailed
from ..environment.diagnosis.worker_check import Diagnosis, diagnose, prove_cpu
from ..environment.installation.errors import InstallationError
from ..environment.installation.install import Installation, Result, install
from ..environment.installation.options import Options
from ..environment.installation.system import this_system
from ..environment.python import WorkerPython, worker_start
from ..feedback import Feedback
from ..files.workspace import Workspace, sweep_stale
from ..resources import plugin_version, profile_home
from .proxy import network_of_qgis
from .session import chosen_python, end_idle_worker


def install_environment(options: Options, feedback: Feedback, anew: bool = False) -> Result:
    """Make the environment in the QGIS profile. Raises InstallationError or RunCancelled."""
    home = profile_home()

    def prove(python: Path, share: Feedback) -> None:
        try:
            with _worker(WorkerPython(str(python), "the new environment")) as worker:
                trouble = prove_cpu(worker, share)
        except (WorkerDied, WorkerFailed) as error:
            raise InstallationError(f"The environment does not work: {error}") from error
        if trouble:
            raise InstallationError(f"The environment does not work: {trouble}.")
        end_idle_worker()  # it may run from the environment that is now replaced and deleted

    system = this_system(QgsApplication.applicationDirPath())
    network = network_of_qgis(home)
    return install(Installation(home, system, options, network, plugin_version(), prove), feedback, anew)


def diagnose_environment(wish: str, feedback: Feedback) -> Diagnosis:
    """Check the worker's Python and all devices.

    Raises EnvironmentMissing where there is no Python for it, WorkerDied or WorkerFailed where it does not start.
    """
    python = chosen_python()
    end_idle_worker()  # it holds memory of the graphics card
    with _worker(python) as worker:
        return diagnose(worker, python, wish, feedback)


def _worker(python: WorkerPython) -> Worker:
    """A worker on a given Python, of its own."""
    sweep_stale()
    return Worker(worker_start(python), Workspace())
