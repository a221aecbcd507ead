"""A profile and a QGIS to install in; uv as the plugin itself fetches it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bdgf.bdgf_qgis.environment.python import PLUGIN_ROOT

RUNNER = Path(__file__).with_name("run_in_qgis.py")
SYSTEM_PYTHON = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"  # QGIS's own, as Debian ships it


@dataclass
class Run:
    """What an algorithm said and how it ended."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def of(self, kind: str) -> list[Any]:
        return [each[kind] for each in self.lines if kind in each]

    @property
    def results(self) -> dict[str, Any]:
        assert self.of("results"), self.lines
        return self.of("results")[0]

    @property
    def exception(self) -> str:
        assert self.of("exception"), self.lines
        return self.of("exception")[0]

    @property
    def notes(self) -> str:
        return "\n".join(self.of("info") + self.of("warning") + self.of("error"))


@dataclass
class Qgis:
    """A QGIS with one profile; `variables` go on top of the surroundings."""

    profile: Path
    variables: dict[str, str]

    @property
    def home(self) -> Path:
        return self.profile / "bdgf"

    @property
    def log(self) -> str:
        path = self.home / "installation.log"
        return path.read_text() if path.exists() else ""

    def environments(self) -> list[str]:
        folder = self.home / "env"
        return sorted(each.name for each in folder.iterdir()) if folder.exists() else []

    def start(self, algorithm: str, cancel_at: str = "", prefix: tuple[str, ...] = (), **parameters: Any) -> Any:
        plugins = str(PLUGIN_ROOT / "build" / "plugins")
        command = [*prefix, SYSTEM_PYTHON, str(RUNNER), plugins, str(self.profile), algorithm, json.dumps(parameters)]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **self.variables}
        environment.pop("BDGF_PYTHON", None)
        return subprocess.Popen(
            command + ([cancel_at] if cancel_at else []),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def read(self, process: Any, timeout: float = 150.0) -> Run:
        began = time.monotonic()
        said, _ = process.communicate(timeout=timeout)
        run = Run([json.loads(line) for line in said.splitlines() if line.startswith("{")], time.monotonic() - began)
        assert run.of("worker_libraries") in ([[]], []), "QGIS itself imported what belongs to the worker"
        return run

    def run(self, algorithm: str, *, prefix: tuple[str, ...] = (), cancel_at: str = "", **parameters: Any) -> Run:
        return self.read(self.start(algorithm, cancel_at, prefix, **parameters))

    def install(self, **parameters: Any) -> Run:
        # 'none': with any other build uv asks an index of PyTorch's own, which a closed network cannot reach
        return self.run("installenvironment", **{"TORCH_BACKEND": "none", **parameters})


@pytest.fixture(scope="session")
def shared() -> Iterator[Path]:
    """A folder for all that is large, such as the cache of uv, which several tests share.

    In memory where there is room: deleting some gigabytes takes minutes on some disks.
    """
    memory = "/dev/shm"
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 8 * 1024**3
    with tempfile.TemporaryDirectory(prefix="bdgf-tests-", dir=memory if roomy else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def uv(shared: Path) -> Path:
    """uv, fetched exactly as the plugin does it: with pip, by hash."""
    from bdgf.bdgf_qgis.environment.installation.steps import fetch_uv
    from bdgf.bdgf_qgis.environment.installation.uv import fetched_uv, uv_folder

    subprocess.run(fetch_uv(SYSTEM_PYTHON, uv_folder(shared)).command, check=True, capture_output=True, timeout=120)
    return fetched_uv(shared)


@pytest.fixture
def qgis(shared: Path) -> Iterator[Qgis]:
    """A QGIS whose profile has a difficult name; uv is not on its PATH, and no Python is fetched."""
    folder = Path(tempfile.mkdtemp(dir=shared))
    profile = folder / "Profil für Übung"
    profile.mkdir()
    variables = {
        "PATH": "/usr/bin:/bin",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_CACHE_DIR": str(shared / "uv-cache"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    links = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")
    if links:
        variables["UV_FIND_LINKS"] = links
    yield Qgis(profile, variables)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def with_uv(qgis: Qgis, uv: Path) -> Qgis:
    """The same with uv on its PATH."""
    qgis.variables["PATH"] = f"{uv.parent}:{qgis.variables['PATH']}"
    return qgis


@pytest.fixture
def wait_for() -> Iterator[Callable[..., None]]:
    def wait(condition: Callable[[], bool], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.02)

    yield wait
