"""Runs in one QGIS share a worker: a batch loads torch once."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from osgeo import gdal

from bdgf.bdgf_qgis.algorithms.install_environment import InstallEnvironment
from bdgf.bdgf_qgis.preferences import Preferences, write_preferences
from bdgf.tests.algorithms.helpers import QUICK, Log, Scene, Trained, children, refused, run, run_folders, worker_id
from bdgf.tests.engine.helpers import soon


def memory(kind: str) -> int:
    """Kilobytes of the worker: VmRSS now, VmHWM at most."""
    lines = Path(f"/proc/{worker_id()}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind))


def test_a_batch_of_classifications_loads_torch_once(scene: Scene, trained: Trained, tmp_path: Path):
    given = {"MODEL": trained.model, "MODALITIES": scene.rasters, "DEVICE": "cpu"}
    workers, seconds, logs = [], [], []
    for number in range(3):  # what QGIS's batch does
        began, log = time.monotonic(), Log()
        run("classify", {**given, "OUTPUT": str(tmp_path / f"map {number}.tif")}, log)
        workers.append(worker_id())
        seconds.append(time.monotonic() - began)
        logs.append([text for _, text in log.texts])
    assert len(set(workers)) == 1 and len(children()) == len(run_folders()) == 1
    assert any("loading torch" in text for text in logs[0])
    assert not any("loading torch" in text for text in logs[1] + logs[2])
    assert max(seconds[1:]) < seconds[0]
    maps = [gdal.Open(str(each)).ReadAsArray() for each in sorted(tmp_path.glob("map ?.tif"))]
    assert all(np.array_equal(each, maps[0]) for each in maps[1:])
    assert "cannot be loaded" in refused("classify", {**given, "MODALITIES": [scene.optical, "/not/there.tif"]})
    run("classify", {**given, "OUTPUT": str(tmp_path / "after.tif")})
    assert worker_id() == workers[0], "what is refused costs no worker"


def test_a_worker_at_rest_holds_little_memory_and_remembers_nothing(scene: Scene, tmp_path: Path):
    samples = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0}
    models = [tmp_path / "cold.safetensors", tmp_path / "warm.safetensors"]
    for model in models:
        run("train", {"MODALITIES": scene.rasters, **samples, **QUICK, "MODEL": str(model)})
        largest = memory("VmHWM")
        assert soon(lambda: memory("VmRSS") < 0.85 * largest, 10), (memory("VmRSS"), largest)  # noqa: B023
    assert models[0].read_bytes() == models[1].read_bytes(), "a run before changes nothing"


def test_no_idle_time_keeps_no_worker(scene: Scene, trained: Trained, tmp_path: Path):
    write_preferences(Preferences(idle=0))
    try:
        given = {"MODEL": trained.model, "MODALITIES": scene.rasters, "DEVICE": "cpu"}
        run("classify", {**given, "OUTPUT": str(tmp_path / "map.tif")})
        assert children() == [] and run_folders() == set()
    finally:
        write_preferences(Preferences())


def test_removing_the_environment_ends_the_worker_that_may_run_from_it(scene: Scene, trained: Trained, tmp_path: Path):
    given = {"MODEL": trained.model, "MODALITIES": scene.rasters, "DEVICE": "cpu"}
    run("classify", {**given, "OUTPUT": str(tmp_path / "map.tif")})
    assert len(children()) == 1
    run(InstallEnvironment.ID, {"ACTION": "remove"})
    assert children() == [] and run_folders() == set()
