"""Cancel at any moment, and workers that die: soon over, nothing left, and the next run works."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bdgf.bdgf_qgis.workflows.session import end_idle_worker
from bdgf.model.shared.header import read_header
from bdgf.tests.algorithms.helpers import (
    QUICK,
    Log,
    Scene,
    Trained,
    changes,
    children,
    kept_logs,
    listing,
    refused,
    run,
    run_folders,
    worker_id,
)

LONG = {"PRETRAIN_STEPS": 5000, "STEPS": 5000}
SOON = 3.0  # seconds from Cancel to the end of the run


def when_said(words: str, act: Callable[[Log], None], delay: float = 0.3) -> Log:
    """A log that acts, from a thread of its own, a moment after the bar has said the words."""
    timers: list[threading.Timer] = []

    def hear(log: Log, text: str) -> None:
        if words in text and not timers:
            timers.append(threading.Timer(delay, act, [log]))
            timers[0].start()

    return Log(hear)


def training(scene: Scene, target: Path, **changed: Any) -> dict[str, Any]:
    given = {"MODALITIES": [scene.dsm], "SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0}
    return {
        **given,
        **QUICK,
        "MODEL": str(target / "model.safetensors"),
        "REPORT": str(target / "report.html"),
        **changed,
    }


def nothing_is_left(target: Path, before: dict[str, str]) -> None:
    end_idle_worker()  # one that heard Cancel waits for the next run
    assert children() == [] and run_folders() == set()
    assert changes(target, before) == []


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("Reading the polygons", {}),
        ("loading torch", {}),
        ("without labels", LONG),
        ("Training on the samples", {**LONG, "PRETRAIN_STEPS": 1}),
    ],
)
def test_cancel_of_a_training(scene: Scene, tmp_path: Path, words: str, changed: dict[str, int]):
    (tmp_path / "model.safetensors").write_text("an older model")
    before = listing(tmp_path)
    log = when_said(words, Log.cancel_now, 0.0 if "polygons" in words else 0.3)
    said = refused("train", training(scene, tmp_path, **changed), log)
    assert log.cancelled_at and time.monotonic() - log.cancelled_at < SOON
    assert "Cancelled" in said
    nothing_is_left(tmp_path, before)


def test_cancel_of_a_training_that_keeps_what_it_learned(scene: Scene, tmp_path: Path):
    log = when_said("Training on the samples: step", Log.cancel_now)
    changed = {**LONG, "PRETRAIN_STEPS": 1, "KEEP_PARTIAL": True, "HOLDOUT": 0.3}
    results = run("train", training(scene, tmp_path, **changed), log)
    assert time.monotonic() - log.cancelled_at < 6
    assert read_header(results["MODEL"]).kind == "classifier"
    assert results["OVERALL_ACCURACY"] is None
    assert "learned so far" in log.warned
    assert "cancelled" in Path(results["REPORT"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("words", ["loading torch", "Comparing with the training", "Classifying"])
def test_cancel_of_a_classification(scene: Scene, trained: Trained, tmp_path: Path, words: str):
    before = listing(tmp_path)
    log = when_said(words, Log.cancel_now, 0.0)
    names = {key: str(tmp_path / f"{key}.tif") for key in ("OUTPUT", "CONFIDENCE", "PROBABILITIES")}
    given = {"MODEL": trained.model, "MODALITIES": scene.rasters, "DEVICE": "cpu", **names}
    said = refused("classify", given, log)
    assert time.monotonic() - log.cancelled_at < SOON and "Cancelled" in said
    nothing_is_left(tmp_path, before)


def test_cancel_of_a_pretraining_and_of_a_scene_in_the_making(scene: Scene, tmp_path: Path):
    before = listing(tmp_path)
    log = when_said("without labels", Log.cancel_now)
    given = {
        "MODALITIES": [scene.dsm],
        "PRESET": "quick",
        "DEVICE": "cpu",
        "MODEL": str(tmp_path / "model.safetensors"),
    }
    assert "Cancelled" in refused("pretrain", given, log)
    assert time.monotonic() - log.cancelled_at < SOON
    log = when_said("Building the town", Log.cancel_now)
    assert "Cancelled" in refused("createdemoscene", {"FOLDER": str(tmp_path), "SIZE": 3000}, log)
    assert time.monotonic() - log.cancelled_at < SOON
    nothing_is_left(tmp_path, before)


def test_a_killed_worker_is_told_with_its_cause_and_the_next_run_works(scene: Scene, tmp_path: Path):
    before = listing(tmp_path)
    log = when_said("Training on the samples", lambda log: os.kill(worker_id(), signal.SIGKILL))
    said = refused("train", training(scene, tmp_path, **{**LONG, "PRETRAIN_STEPS": 1}), log)
    assert "kill" in said.lower() and "memory" in said
    (log_file,) = kept_logs(said)
    log_file.unlink()
    nothing_is_left(tmp_path, before)
    results = run("train", training(scene, tmp_path, PRETRAIN_STEPS=1, STEPS=1))
    assert read_header(results["MODEL"]).kind == "classifier"


def test_a_worker_killed_while_it_classifies(scene: Scene, trained: Trained, tmp_path: Path):
    before = listing(tmp_path)
    log = when_said("Comparing with", lambda log: os.kill(worker_id(), signal.SIGKILL), 0.0)
    given = {"MODEL": trained.model, "MODALITIES": scene.rasters, "OUTPUT": str(tmp_path / "map.tif")}
    said = refused("classify", {**given, "DEVICE": "cpu"}, log)
    assert "kill" in said.lower()
    for each in kept_logs(said):
        each.unlink()
    nothing_is_left(tmp_path, before)
