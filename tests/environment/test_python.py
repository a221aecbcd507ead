"""Which Python runs the worker, and what surrounds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.engine.errors import EnvironmentMissing
from bdgf.bdgf_qgis.environment.managed import Managed, write_state
from bdgf.bdgf_qgis.environment.python import (
    WorkerPython,
    find_python,
    worker_command,
    worker_environment,
)

OF_QGIS = (
    "PYTHONPATH PYTHONHOME PYTHONUSERBASE VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX PROJ_LIB PROJ_DATA GDAL_DATA "
    "GDAL_DRIVER_PATH QGIS_PREFIX_PATH QGIS_DEBUG LD_LIBRARY_PATH LD_PRELOAD DYLD_LIBRARY_PATH "
    "DYLD_INSERT_LIBRARIES SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE "
    "LD_AUDIT LD_DEBUG_OUTPUT LD_PROFILE GCONV_PATH GLIBC_TUNABLES MALLOC_TRACE MallocStackLogging OPENSSL_CONF "
    "PYTHONSTARTUP PYTHONINSPECT PYTHONBREAKPOINT PYTHONPYCACHEPREFIX PYTHONWARNINGS BASH_ENV ENV BASH_FUNC_ls%% "
    "OMP_TOOL_LIBRARIES CUDA_INJECTION64_PATH INTEL_LIBITTNOTIFY64 KINETO_CONFIG TRITON_PTXAS_PATH SSLKEYLOGFILE"
).split()
THE_USERS = (
    "PATH HOME LANG LC_ALL TZ HTTPS_PROXY NO_PROXY OMP_NUM_THREADS KMP_AFFINITY CUDA_VISIBLE_DEVICES CUDA_HOME CC "
    "OPENBLAS_CORETYPE UV_CACHE_DIR UV_INDEX PIP_INDEX_URL PIP_FIND_LINKS BDGF_PYTHON SYSTEMROOT APPDATA XDG_CACHE_HOME"
).split()


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
    command = worker_command(WorkerPython("/p y/python", ""), Path("/plug in/bdgf"))
    assert command[:5] == ["/p y/python", "-I", "-X", "utf8", "-c"]
    assert command[-1] == "/plug in/bdgf"


def test_environment_without_what_qgis_sets() -> None:
    own = {**dict.fromkeys(THE_USERS, "of the user"), "GOMP_SPINCOUNT": "10000"}
    assert worker_environment({**dict.fromkeys(OF_QGIS, "/of/qgis"), **own}, "linux") == own


def test_waiting_threads_soon_sleep_unless_somebody_wants_otherwise() -> None:
    assert worker_environment({}, "linux") == {"GOMP_SPINCOUNT": "10000"}
    assert worker_environment({"GOMP_SPINCOUNT": "5"}, "linux") == {"GOMP_SPINCOUNT": "5"}


def test_windows_path_without_the_folders_of_qgis() -> None:
    home = "C:\\Program Files\\QGIS 3.34"
    others = f"C:\\Windows;{home}x"
    given = {"OSGEO4W_ROOT": home, "Path": f"{home}\\bin;c:/program files/qgis 3.34/apps;{others}"}
    assert worker_environment(given, "win32")["Path"] == others
    assert worker_environment(given, "linux")["Path"] == given["Path"]


def test_real_child_sees_the_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OF_QGIS:
        if name not in ("LD_PRELOAD", "LD_AUDIT"):  # the linker of the child complains about these
            monkeypatch.setenv(name, "/of/qgis")
    show = "import json, os, sys; print(json.dumps([dict(os.environ), sys.path]))"
    environ, path = json.loads(
        subprocess.run(
            [sys.executable, "-I", "-c", show], env=worker_environment(), capture_output=True, check=True
        ).stdout
    )
    assert not set(OF_QGIS) & set(environ)
    assert "/of/qgis" not in path
    assert environ["PATH"] == os.environ["PATH"]


def test_code_that_the_linker_would_load_does_not_reach_a_child(tmp_path: Path) -> None:
    """With the variables as they are the linker says that it cannot load the library; cleaned, nobody asks it to."""
    for name in ("LD_AUDIT", "LD_PRELOAD"):
        given = {**os.environ, name: str(tmp_path / "spy.so")}
        said = [
            subprocess.run(["/bin/true"], env=each, capture_output=True, text=True, check=False).stderr
            for each in (given, worker_environment(given))
        ]
        assert "spy.so" in said[0] and said[1] == "", name
