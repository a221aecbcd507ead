"""Which environment variables reach a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.environment.variables import child_variables

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


def test_environment_without_what_qgis_sets() -> None:
    own = {**dict.fromkeys(THE_USERS, "of the user"), "GOMP_SPINCOUNT": "10000"}
    assert child_variables({**dict.fromkeys(OF_QGIS, "/of/qgis"), **own}, "linux") == own


def test_waiting_threads_soon_sleep_unless_somebody_wants_otherwise() -> None:
    assert child_variables({}, "linux") == {"GOMP_SPINCOUNT": "10000"}
    assert child_variables({"GOMP_SPINCOUNT": "5"}, "linux") == {"GOMP_SPINCOUNT": "5"}


def test_windows_path_without_the_folders_of_qgis() -> None:
    home = "C:\\Program Files\\QGIS 3.34"
    others = f"C:\\Windows;{home}x"
    given = {"OSGEO4W_ROOT": home, "Path": f"{home}\\bin;c:/program files/qgis 3.34/apps;{others}"}
    assert child_variables(given, "win32")["Path"] == others
    assert child_variables(given, "linux")["Path"] == given["Path"]


def test_real_child_sees_the_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OF_QGIS:
        if name not in ("LD_PRELOAD", "LD_AUDIT"):  # the linker of the child complains about these
            monkeypatch.setenv(name, "/of/qgis")
    show = "import json, os, sys; print(json.dumps([dict(os.environ), sys.path]))"
    environ, path = json.loads(
        subprocess.run(
            [sys.executable, "-I", "-c", show], env=child_variables(), capture_output=True, check=True
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
            for each in (given, child_variables(given))
        ]
        assert "spy.so" in said[0] and said[1] == "", name
