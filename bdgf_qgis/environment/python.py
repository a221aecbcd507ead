"""Which Python runs the worker, and how the worker is started on it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ...model.shared.messages import WITHOUT_TORCH
from ..engine.errors import EnvironmentMissing
from ..engine.worker import WorkerCommand
from .managed import managed_python, python_inside
from .variables import child_variables

PLUGIN_ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "BDGF_PYTHON"
FROM_VARIABLE = f"variable {VARIABLE}"  # where a WorkerPython was found
FROM_SETTING = "setting bdgf/python"
OWN_ENVIRONMENT = "the plugin's own environment"
DEVELOPMENT = "build/venv"

# Runs the package `model` of the plugin folder, whatever that folder is called.
_BOOT = (
    "import runpy, sys; sys.path.insert(0, sys.argv[1]); runpy.run_module('model', run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True)
class WorkerPython:
    """The interpreter that runs the worker, and a few words on where it was found."""

    path: str
    where: str


def find_python(
    setting: Optional[str] = None,
    environ: Optional[Mapping[str, str]] = None,
    root: Path = PLUGIN_ROOT,
    home: Optional[Path] = None,
) -> WorkerPython:
    """The worker's Python: variable BDGF_PYTHON, the QGIS setting bdgf/python, the environment that the plugin made
    for itself, then `build/venv`.

    home  the plugin's folder in the QGIS profile, where its own environment lies

    Never sys.executable: inside QGIS that may be QGIS itself. Raises EnvironmentMissing where none of them is set, or
    where the first that is set names no file.
    """
    named = (
        ((os.environ if environ is None else environ).get(VARIABLE), FROM_VARIABLE),
        (setting, FROM_SETTING),
    )
    for path, where in named:
        if path and path.strip():
            return _checked(path.strip(), where)
    managed = None if home is None else managed_python(home)
    if managed is not None:
        return WorkerPython(str(managed), OWN_ENVIRONMENT)
    default = python_inside(root / "build" / "venv")
    if default.is_file():
        return WorkerPython(str(default), DEVELOPMENT)
    raise EnvironmentMissing(
        "BDGF needs PyTorch, which is not set up yet: run 'Install environment' (bdgf:installenvironment) once, or "
        f"name a Python that has torch in the BDGF options (setting bdgf/python) or in the variable {VARIABLE}."
    )


def _checked(path: str, where: str) -> WorkerPython:
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise EnvironmentMissing(
            f"The {where} names {path}, which is no program that can be started: name the Python that has torch, or "
            f"clear the {where.split()[0]}."
        )
    return WorkerPython(os.path.abspath(path), where)


def worker_command(python: WorkerPython, root: Path = PLUGIN_ROOT, torch: bool = True) -> WorkerCommand:
    """What starts the worker on a Python; without torch it only does jobs of regions."""
    further = () if torch else (WITHOUT_TORCH,)
    return WorkerCommand((python.path, "-I", "-X", "utf8", "-c", _BOOT, str(root), *further), child_variables())
