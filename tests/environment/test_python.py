"""Which Python runs the worker, and how it is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from bdgf.bdgf_qgis.engine.errors import EnvironmentMissing
from bdgf.bdgf_qgis.environment.managed import Managed, write_state
from bdgf.bdgf_qgis.environment.python import WorkerPython, find_python, worker_command


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_order(tmp_path: Path) -> None:
    variable, setting = program(tmp_path / "a b" / "python"), program(tmp_path / "ü" / "python")
    venv = program(tmp_path / "build" / "venv" / "bin" / "python")
    environ = {"BDGF_PYTHON": str(variable)}
    assert find_python(str(setting), environ, tmp_path) == WorkerPython(str(variable), "variable BDGF_PYTHON")
    assert find_python(str(setting), {}, tmp_path) == WorkerPython(str(setting), "setting bdgf/python")
    assert find_python(" ", {"BDGF_PYTHON": ""}, tmp_path) == WorkerPython(str(venv), "build/venv")

    home = tmp_path / "profile" / "bdgf"
    assert find_python(None, {}, tmp_path, home).path == str(venv), "nothing is installed there"
    own = program(home / "env" / "e1" / "bin" / "python")
    assert find_python(None, {}, tmp_path, home).path == str(venv), "a broken-off installation is not used"
    write_state(home, Managed("e1", "pins", "1"))
    assert find_python(None, {}, tmp_path, home) == WorkerPython(str(own), "the plugin's own environment")
    assert find_python(str(setting), {}, tmp_path, home).path == str(setting)
    own.unlink()
    assert find_python(None, {}, tmp_path, home).path == str(venv), "what was deleted by hand is not used"


def test_nothing_there_is_one_sentence_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing, match=r"^BDGF needs .*Install environment.*bdgf/python.*BDGF_PYTHON\.$"):
        find_python(None, {}, tmp_path)


def test_a_wrong_name_is_not_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "build" / "venv" / "bin" / "python")
    with pytest.raises(EnvironmentMissing, match=r"variable BDGF_PYTHON names /nowhere/python, which is no program"):
        find_python(None, {"BDGF_PYTHON": "/nowhere/python"}, tmp_path)
    with pytest.raises(EnvironmentMissing, match=r"setting bdgf/python names .*clear the setting"):
        find_python(str(tmp_path), {}, tmp_path)


def test_command_is_isolated_and_names_the_root() -> None:
    command = worker_command(WorkerPython("/p y/python", ""), Path("/plug in/bdgf")).arguments
    assert command[:5] == ("/p y/python", "-I", "-X", "utf8", "-c")
    assert command[-1] == "/plug in/bdgf"
