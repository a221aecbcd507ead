"""Unloading, reloading and upgrading the plugin, taking layers away and closing QGIS, at every phase of its runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bdgf.bdgf_qgis.environment.python import PLUGIN_ROOT
from bdgf.tests.engine.helpers import soon
from bdgf.tests.gui.real_window import SCRIPTS, Window, open_window, processes_with

SHIPPED = ("__init__.py", "metadata.txt", "requirements.txt", "bdgf_qgis", "model", "resources")
PHASES = (
    "town worker_starts polygons rasters pretraining_of_train training pretraining comparing classifying writing "
    "scenes assessing checking installing"
).split()
RELOADED = ("training-reload", "classifying-reload", "training-upgrade")
SOON = 6.0  # seconds for which switching off may block the window
WORKER = SCRIPTS.with_name("patient_worker.py")


def prepare(home: Path) -> dict[str, str]:
    """A copy of the plugin that can be replaced, programs in place of worker and uv; the variables of the session."""
    for name in ("bdgf", "newer"):
        for each in SHIPPED:
            source, target = PLUGIN_ROOT / each, home / "plugins" / name / each
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    for kind in ("loading", "train", "map"):
        _program(home / f"python-{kind}", f"exec '{sys.executable}' -I -X utf8 '{WORKER}' '{PLUGIN_ROOT}' {kind}")
    _program(home / "uv", 'test "$1" = --version && echo "uv 0.9.0" && exit\nexec sleep 600')
    return {"QGIS_PLUGINPATH": str(home / "plugins"), "BDGF_PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}


def _program(path: Path, lines: str) -> None:
    path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Window:
    """One session for all but the closing: freed memory is overwritten, so that what still points to it shows."""
    home = tmp_path_factory.mktemp("window")
    window = open_window(home, "switching_off.py", 240, MALLOC_PERTURB_="165", **prepare(home))
    assert "Traceback" not in window.printed, window.printed[-4000:]
    return window


def over(told: dict[str, Any]) -> bool:
    """Whether a run was met where it was to be met, and has ended with a sentence."""
    said = "\n".join(told["said"])
    return told["reached"] and told["done"] and told["ended"] and told["well"] == [False] and "Cancelled" in said


@pytest.mark.parametrize("case", [*(f"{each}-unload" for each in PHASES), *RELOADED])
def test_a_run_is_over_when_the_plugin_is_off(window: Window, case: str) -> None:
    told = window.of(case)
    assert over(told) and told["seconds"] < SOON
    left = told["left"]
    assert left["processes"] == [] and left["folders"] == []
    assert [each for each in left["files"] if ".bdgf-part/" not in each and each != "maps/bdgf_results.csv"] == []
    if case == "writing-unload":
        assert left["files"], "finished blocks are kept for the next call"
    else:
        assert not [each for each in left["files"] if ".bdgf-part/" in each]
    if case == f"{PHASES[0]}-unload":
        assert "It was switched off. Runs that had not ended were cancelled: 1." in told["bar"]


@pytest.mark.parametrize("case", ["training-clear_project", "classifying-remove_layers", "assessing-remove_layers"])
def test_a_run_outlives_its_layers(window: Window, case: str) -> None:
    told = window.of(case)
    assert told["running"] and over(told)


def test_a_training_whose_layers_and_project_go_ends_well(window: Window) -> None:
    told = window.of("to_the_end")
    assert told["scene"] and told["reached"] and told["well"], told["said"]


def test_a_run_that_is_just_over_is_heard_of_and_its_dialog_refuses_another(window: Window) -> None:
    told = window.of("just_over")
    assert told["well"] and told["heard"] and told["ended"] == [True] and told["loaded"]
    assert "switched off or loaded anew" in told["refused"]


@pytest.mark.parametrize("case", ["lost-True", "lost-False"])
def test_a_dialog_that_python_lost_outlives_the_plugin(window: Window, case: str) -> None:
    told = window.of(case)
    assert told["off"] and told["on"]


def test_the_plugin_works_after_all_that(window: Window) -> None:
    assert window.status == 0 and window.of("after")["well"]


@pytest.mark.parametrize("way", ["window", "quit"])
def test_closing_qgis_while_it_trains(tmp_path: Path, way: str) -> None:
    variables = {**prepare(tmp_path), "BDGF_PYTHON": str(tmp_path / "python-train"), "BDGF_TEST_CLOSE": way}
    window = open_window(tmp_path, "closing.py", 60, **variables)
    assert window.status == 0, window.printed[-4000:]
    if way == "window":
        told = window.of("cancelled")
        assert told["ended"] and told["well"] == [False] and "Cancelled; nothing was written." in told["said"]
        asked = [each["text"] for each in window.told if each["name"] == "asked"]
        assert len(asked) == 2 and "Train" in asked[0] and "save" in asked[1]
    assert soon(lambda: processes_with(f"BDGF_TEST_OUT={tmp_path}") == [])
    assert list((tmp_path / "tmp").iterdir()) == [] and not (tmp_path / "model.safetensors").exists()
