"""The installation: what is there is used, what is missing is fetched, what worked stays until the new works."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ...feedback import Feedback
from ...files.paths import delete_folder
from ..interpreter import Interpreter, ask_python
from ..managed import Managed, environments, python_inside, read_state, write_state
from .errors import InstallationError, StepFailed
from .home import check_space, locked, new_name, space_needed, sweep
from .install_log import InstallLog
from .options import Network, Options
from .pins import fingerprint
from .qgis_python import find_qgis_python
from .runner import StepRunner
from .steps import (
    Step,
    fetch_python,
    fetch_uv,
    install_packages,
    install_scan_kernel,
    make_environment,
    shares,
    wants_scan_kernel,
    with_plain_pip,
)
from .system import System, no_build_for
from .tool_variables import bootstrap_variables, downloads, secrets_of, tool_variables
from .uv import fetched_uv, find_uv, uv_folder

_BEFORE = 0.14  # of the bar: uv and Python
_PROOF = 0.92  # where the packages are in and the proof begins


@dataclass(frozen=True)
class Installation:
    """What is to be installed where.

    home    the plugin's folder in the QGIS profile
    prove   raises InstallationError where the worker does not run on a Python: called with its path and a feedback
    """

    home: Path
    system: System
    options: Options
    network: Network
    plugin_version: str
    prove: Callable[[Path, Feedback], None]


@dataclass(frozen=True)
class Result:
    """The Python of the environment, and whether it was there already."""

    python: Path
    was_there: bool


def install(job: Installation, feedback: Feedback, anew: bool = False) -> Result:
    """Make the environment, or find that it is there and works; `anew` makes it in any case.

    Raises InstallationError, or RunCancelled; either way what was in use before still is.
    """
    reason = no_build_for(job.system)
    if reason:
        raise InstallationError(reason)
    with locked(job.home):
        log = InstallLog(job.home, secrets_of(job.network))
        try:
            return _Installer(job, feedback, log).run(anew)
        except OSError as error:
            raise InstallationError(f"{error.filename or job.home}: {error.strerror or error}.") from error
        finally:
            log.close()


def is_outdated(home: Path) -> bool:
    """Whether the environment in use was made from other package versions than this plugin pins."""
    managed = read_state(home)
    return managed is not None and managed.pins != fingerprint()


class _Installer:
    """One installation, under the lock."""

    def __init__(self, job: Installation, feedback: Feedback, log: InstallLog) -> None:
        self._job = job
        self._feedback = feedback
        self._log = log
        self._variables = tool_variables(job.system, job.home, job.options, job.network)
        self._bootstrap = bootstrap_variables(self._variables, job.system, os.environ)
        self._runner = StepRunner(job.home, self._variables, log, feedback)

    def run(self, anew: bool) -> Result:
        job = self._job
        for name in sweep(job.home):
            self._note("info", f"Cleared away environment {name}, which is not in use.")
        there = None if anew else self._working()
        if there is not None:
            return Result(there, was_there=True)
        check_space(job.home, space_needed(job.system, job.options.torch_backend))
        name = new_name(job.home)
        folder = environments(job.home) / name
        folder.parent.mkdir(exist_ok=True)
        try:
            self._make(folder)
            self._prove(python_inside(folder), _PROOF)
            write_state(job.home, Managed(name, fingerprint(), job.plugin_version, job.options.torch_backend))
        except BaseException:
            delete_folder(folder)
            raise
        sweep(job.home)
        delete_folder(downloads(job.home, job.options))
        self._log.write(f"environment {name} is in use")
        return Result(python_inside(folder), was_there=False)

    def _working(self) -> Optional[Path]:
        """The Python of the environment in use, where it has the pinned versions and runs."""
        managed = read_state(self._job.home)
        if managed is None:
            return None
        if managed.pins != fingerprint():
            self._note("info", "The environment has other package versions than this plugin needs: making a new one.")
            return None
        python = python_inside(environments(self._job.home) / managed.name)
        try:
            self._prove(python, 0.0)
        except InstallationError as error:
            self._note("warning", f"The environment is damaged and is made anew. {error}")
            return None
        return python

    def _make(self, folder: Path) -> None:
        job = self._job
        named = self._named_python()
        uv = self._uv()
        if uv is None:
            self._run(self._plain(folder, named))
            return
        base = named.path if named else self._fetched_python(uv)
        self._run((make_environment(uv, folder, base), *install_packages(uv, folder, job.options)))
        if wants_scan_kernel(job.system, job.options):
            with contextlib.suppress(StepFailed):
                for step in install_scan_kernel(uv, folder):
                    self._attempt(step)

    def _uv(self) -> Optional[str]:
        """The path of uv, fetched where it is missing; None where it cannot be had."""
        job = self._job
        found = find_uv(job.options.uv, job.home, job.system, self._variables)
        if found is not None:
            self._note("info", f"uv: {found.path} ({found.where}).")
            return found.path
        python = self._qgis_python(lambda python: python.fetches_uv)
        if python is None:
            return None
        delete_folder(uv_folder(job.home))
        step = fetch_uv(python.path, uv_folder(job.home))
        try:
            self._runner.run(step, 0.0, _BEFORE / 2, self._bootstrap)
        except StepFailed as error:
            self._note("info", f"{error} Trying with plain pip instead.")
            return None
        return str(fetched_uv(job.home, job.system.platform))

    def _fetched_python(self, uv: str) -> str:
        """'' where uv fetched a Python; else the path of QGIS's own, to build on."""
        try:
            self._runner.run(fetch_python(uv), _BEFORE / 2, _BEFORE)
            return ""
        except StepFailed as error:
            python = self._qgis_python(lambda python: python.runs_worker)
            if python is None:
                raise
            self._note("info", f"A Python of its own could not be fetched; building on {python.path} instead.")
            self._log.write(str(error))
            return python.path

    def _named_python(self) -> Optional[Interpreter]:
        """The Python to build on that the user named."""
        path = self._job.options.base_python
        if not path:
            return None
        found = ask_python(path, self._bootstrap)
        if found is None or not found.runs_worker:
            raise InstallationError(
                f"The setting bdgf/base_python names {path}, which is no 64-bit Python from 3.10 to 3.14: correct the "
                "setting or clear it."
            )
        return found

    def _plain(self, folder: Path, named: Optional[Interpreter]) -> tuple[Step, ...]:
        python = named or self._qgis_python(lambda python: python.makes_environments)
        if python is None:
            raise InstallationError(
                "Neither uv nor a Python from 3.10 to 3.14 with pip and venv was found to make an environment with: "
                "install uv or Python (on Debian and Ubuntu the package python3-venv) and run it again, or name a "
                "Python that has torch in the BDGF options."
            )
        self._note("info", f"uv is not to be had: making the environment with {python.path} and pip.")
        if self._job.system.platform == "linux" and self._job.options.torch_backend == "auto":
            self._note("info", "pip takes the index's usual build of PyTorch, on Linux the large one for NVIDIA cards.")
        return with_plain_pip(python.path, folder)

    def _qgis_python(self, fits: Callable[[Interpreter], bool]) -> Optional[Interpreter]:
        return find_qgis_python(self._job.system, fits, self._bootstrap)

    def _run(self, steps: tuple[Step, ...]) -> None:
        for step, (begin, end) in zip(steps, shares(steps, 0.0)):
            reach = _PROOF - _BEFORE
            self._runner.run(step, _BEFORE + begin * reach, _BEFORE + end * reach)

    def _attempt(self, step: Step) -> None:
        """An optional step: its failure is told in a line."""
        try:
            self._runner.run(step, _PROOF, _PROOF)
        except StepFailed:
            self._note(
                "info", "The fast scan for NVIDIA cards could not be installed; BDGF's own scan is used instead."
            )
            raise

    def _prove(self, python: Path, begin: float) -> None:
        """Run the worker on it, the bar going on from `begin`."""
        try:
            self._job.prove(python, self._feedback.part(begin, 1.0 if begin else _BEFORE / 4))
        except InstallationError as error:
            self._log.write(f"proof failed: {error}")
            raise

    def _note(self, level: str, text: str) -> None:
        self._log.write(text)
        self._feedback.note(level, self._log.clean(text))
