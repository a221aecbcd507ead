"""The worker's environment: installed, checked and removed, with the facts, settings and network that QGIS knows."""

from __future__ import annotations

from pathlib import Path

from qgis.core import Qgis, QgsApplication, QgsProcessingException
from qgis.PyQt.QtCore import QT_VERSION_STR

from ..engine.errors import EnvironmentMissing, WorkerDied, WorkerFailed
from ..engine.worker import Worker
from ..environment.diagnosis.requirements import suitability_of
from ..environment.diagnosis.verdict import Verdict
from ..environment.diagnosis.worker_check import diagnose, prove_cpu
from ..environment.installation.errors import InstallationError
from ..environment.installation.home import remove_all
from ..environment.installation.install import Installation, Result, install
from ..environment.installation.options import Options
from ..environment.installation.system import this_system
from ..environment.managed import environments
from ..environment.python import OWN_ENVIRONMENT, WorkerPython, worker_command
from ..feedback import Feedback
from ..files.workspace import Workspace, sweep_stale
from ..preferences import read_preferences
from ..report.check import CheckReport
from ..resources import plugin_version, profile_home
from ..translation import tr
from .error_sentences import told_to_user
from .network_settings import network_of_qgis
from .result_files import write_texts
from .session import chosen_python, end_idle_worker


def install_environment(options: Options, feedback: Feedback, anew: bool = False) -> Path:
    """Make the environment in the QGIS profile, and tell the log. Returns its Python.

    anew  whether one that works is replaced. Raises QgsProcessingException, with what to do, where that fails or was
    cancelled; what was there before stays then.
    """
    with told_to_user(tr("Cancelled; what was there before is unchanged.")):
        result = _install(options, feedback, anew)
    if result.was_there:
        feedback.info(tr("The environment is there already, up to date, and works."))
    else:
        feedback.info(tr("The environment is ready and works."))
    feedback.info(str(result.python))
    overruled = overruling_python()
    if overruled:
        feedback.warn(overruled)
    return result.python


def _install(options: Options, feedback: Feedback, anew: bool) -> Result:
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


def remove_environment(feedback: Feedback) -> None:
    """Delete all that was installed. Raises QgsProcessingException where something of it could not be deleted."""
    end_idle_worker()  # on Windows its files could not be deleted
    home = profile_home()
    there = environments(home).exists()
    with told_to_user():
        left = remove_all(home, read_preferences().cache_folder(home))
    if left:
        raise QgsProcessingException(left)
    feedback.info(tr("All that was installed is deleted.") if there else tr("Nothing was installed."))


def overruling_python() -> str:
    """A sentence where BDGF computes with another Python than that of its own environment; '' where it does not."""
    try:
        python = chosen_python()
    except EnvironmentMissing as error:
        return str(error)
    if python.where == OWN_ENVIRONMENT:
        return ""
    text = tr("The {where} names another Python ({path}), which BDGF goes on using.")
    return text.format(where=python.where, path=python.path)


def check_environment(wish: str, report: str, text: str, feedback: Feedback) -> Verdict:
    """Try the worker's Python and all devices, and tell the log.

    Args:
        wish: the device that is wanted, as messages name it.
        report: path of the page, '' where it is not wanted; text: of the same as plain text.

    Raises QgsProcessingException, with what to do, where there is no Python for the worker or it does not start.
    """
    with told_to_user(tr("Cancelled.")):
        python = chosen_python()
        feedback.warn(*suitability_of(python.path).lacking)
        end_idle_worker()  # it holds memory of the graphics card
        with _worker(python) as worker:
            diagnosis = diagnose(worker, python, wish, feedback)
    qgis = (tr("Plugin"), f"BDGF {plugin_version()}"), (tr("QGIS"), f"{Qgis.QGIS_VERSION}, Qt {QT_VERSION_STR}")
    page = CheckReport(diagnosis, qgis)
    feedback.info(*page.text().splitlines())
    if not diagnosis.verdict.device:
        feedback.warn(diagnosis.verdict.sentence)
    write_texts([(report, page.html()), (text, page.text())])
    return diagnosis.verdict


def _worker(python: WorkerPython) -> Worker:
    """A worker on a given Python, of its own."""
    sweep_stale()
    return Worker(worker_command(python), Workspace())
