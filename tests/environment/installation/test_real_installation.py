"""Real installations of the CPU build, by QGIS into profiles of the tests' own."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Qgis = Any  # of conftest.py
UNREACHABLE = "http://127.0.0.1:9"


def fake_package(folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("raise RuntimeError('the wrong one was imported')\n")


def offline(qgis: Qgis) -> None:
    """No index and no folder of packages can be reached, and nothing lies in a cache."""
    qgis.variables.update(
        {
            "ALL_PROXY": UNREACHABLE,
            "HTTPS_PROXY": UNREACHABLE,
            "HTTP_PROXY": UNREACHABLE,
            "UV_HTTP_RETRIES": "0",
            "PIP_RETRIES": "0",
            "UV_FIND_LINKS": "",
            "PIP_FIND_LINKS": "",
            "UV_CACHE_DIR": str(qgis.profile / "empty-cache"),
            "PIP_CACHE_DIR": str(qgis.profile / "empty-pip-cache"),
        }
    )
    qgis.variables.pop("UV_FIND_LINKS")


def test_installs_itself_among_hostile_variables_and_is_there_the_second_time(qgis: Qgis, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile"
    for name in ("torch", "numpy_of_another_version", "skimage", "safetensors", "model"):
        fake_package(hostile, name)
    qgis.variables.update(
        {
            "PYTHONPATH": str(hostile),
            "PIP_TARGET": str(tmp_path / "elsewhere"),
            "PIP_USER": "1",
            "VIRTUAL_ENV": str(tmp_path / "not-an-environment"),
            "UV_PYTHON_INSTALL_DIR": str(tmp_path / "not-here"),
        }
    )
    first = qgis.install()
    python = Path(first.results["PYTHON"])
    assert python.is_file() and qgis.home in python.parents
    assert "pip install --require-hashes" in qgis.log, "uv was fetched by hash"
    assert not (tmp_path / "elsewhere").exists()
    percents = first.of("percent")
    assert percents == sorted(percents) and percents[-1] <= 100
    assert any("Installing PyTorch: " in each for each in first.of("text")), "progress by package"
    assert qgis.environments() == [json.loads((qgis.home / "environment.json").read_text())["name"]]

    second = qgis.install()
    assert "there already" in second.notes and second.results["PYTHON"] == str(python)

    report = tmp_path / "report.html"
    text = tmp_path / "report.txt"
    check = qgis.run("checkenvironment", REPORT=str(report), TEXT=str(text))
    assert check.results["USED_DEVICE"] == "cpu" or check.results["GPU"]
    assert "the plugin's own environment" in text.read_text()
    assert "all computations come out right" in report.read_text()
    told = text.read_text() + report.read_text()
    assert str(Path.home()) not in told
    # a word of its own: a short name may stand by chance inside that of a temporary folder
    assert not re.search(rf"(?<![A-Za-z0-9]){re.escape(os.uname().nodename)}(?![A-Za-z0-9])", told)

    removed = qgis.install(ACTION="remove")
    assert "deleted" in removed.notes
    assert not qgis.home.exists(), "nothing is left"


def test_killed_in_the_middle_it_is_repaired(with_uv: Qgis, wait_for: Callable[..., None]) -> None:
    with_uv.variables["UV_CACHE_DIR"] = str(with_uv.profile / "cold-cache")
    process = with_uv.start("installenvironment", TORCH_BACKEND="none")
    wait_for(lambda: "Resolved" in with_uv.log)
    second = with_uv.run("installenvironment", TORCH_BACKEND="none")
    assert "Another QGIS" in second.exception, "two at once"
    assert second.seconds < 5
    process.send_signal(signal.SIGKILL)
    process.communicate()
    left = with_uv.environments()
    assert len(left) == 1 and not (with_uv.home / "environment.json").exists()

    repaired = with_uv.install()
    assert f"Cleared away environment {left[0]}" in repaired.notes
    assert Path(repaired.results["PYTHON"]).is_file()
    assert left[0] not in with_uv.environments() or len(with_uv.environments()) > 1  # an orphaned uv may still write


def test_an_update_keeps_the_old_environment_until_the_new_works(with_uv: Qgis) -> None:
    with_uv.install()
    state = with_uv.home / "environment.json"
    old = json.loads(state.read_text())
    state.write_text(json.dumps({**old, "pins": "older", "plugin": "0.0.9"}))

    reachable = with_uv.variables
    with_uv.variables = dict(reachable)
    offline(with_uv)
    failed = with_uv.install()
    assert "no connection" in failed.exception and "Options, Network" in failed.exception
    assert "goes on where it stopped" in failed.exception
    assert with_uv.environments() == [old["name"]]
    assert json.loads(state.read_text())["pins"] == "older"

    with_uv.variables = dict(reachable)
    with_uv.variables["UV_CACHE_DIR"] = str(with_uv.profile / "cold-cache")  # else files are linked, not written
    full = with_uv.install(prefix=("bash", "-c", 'ulimit -f 20000; exec "$@"', "bash"))
    assert "disk is full" in full.exception
    assert with_uv.environments() == [old["name"]]
    with_uv.variables = reachable

    cancelled = with_uv.install(cancel_at="Installing PyTorch")
    assert "Cancelled" in cancelled.exception and cancelled.seconds < 8
    assert with_uv.environments() == [old["name"]]

    updated = with_uv.install()
    assert "other package versions" in updated.notes
    now = json.loads(state.read_text())
    assert now["pins"] == old["pins"] and now["name"] != old["name"]
    assert with_uv.environments() == [now["name"]]

    torch = next((with_uv.home / "env" / now["name"]).glob("lib/python*/site-packages/torch/__init__.py"))
    torch.unlink()  # it may be the very file in uv's cache
    torch.write_text("raise ImportError('damaged')\n")
    repaired = with_uv.install()
    assert "damaged and is made anew" in repaired.notes
    assert Path(repaired.results["PYTHON"]).is_file()
    assert now["name"] not in with_uv.environments()


def test_offline_from_the_start_is_one_clear_message(qgis: Qgis) -> None:
    offline(qgis)
    run = qgis.install()
    assert "no connection" in run.exception
    assert "Traceback" not in run.exception
    assert qgis.environments() == []


@pytest.mark.parametrize("name", ["uv", "base_python"])
def test_a_wrong_path_in_the_settings_is_named(qgis: Qgis, name: str) -> None:
    folder = qgis.profile / "QGIS"
    folder.mkdir()
    (folder / "QGIS3.ini").write_text(f"[bdgf]\n{name}=/nowhere/program\n")
    assert "/nowhere/program" in qgis.install().exception
