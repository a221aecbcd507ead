"""Many scenes with one model: real files, some of them broken, one worker for all."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.preferences import Preferences, write_preferences
from bdgf.bdgf_qgis.raster.reading import blocks
from bdgf.bdgf_qgis.workflows.scene_table import MAPPED, SceneResult, SceneTable
from bdgf.bdgf_qgis.workflows.session import end_idle_worker
from bdgf.tests.algorithms.helpers import (
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

PATTERNS = "*_optical.tif; *_dsm.tif"


class Workers(Log):
    """Remembers which worker each scene had; `act` is called with the number of scenes that have begun to be read."""

    def __init__(self, act: Callable[[Workers, int], None] = lambda log, number: None) -> None:
        super().__init__(Workers.look)
        self.ids: list[int] = []
        self._act = act

    def look(self, text: str) -> None:
        if text.startswith("Comparing"):
            self.ids.append(worker_id())
            self._act(self, len(self.ids))


@pytest.fixture
def folder(scene: Scene, tmp_path: Path) -> Path:
    """Three scenes in a folder with a difficult name; of the second the image is cut short."""
    folder = tmp_path / "Szenen für Übung"
    folder.mkdir()
    for name in ("a süd", "b", "c nord"):
        shutil.copyfile(scene.optical, folder / f"{name}_optical.tif")
        shutil.copyfile(scene.dsm, folder / f"{name}_dsm.tif")
    broken = folder / "b_optical.tif"
    broken.write_bytes(broken.read_bytes()[:-40_000])
    return folder


@pytest.fixture
def given(trained: Trained, folder: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "MODEL": trained.model,
        "FOLDER": str(folder),
        "PATTERNS": PATTERNS,
        "DEVICE": "cpu",
        "OUTPUT_FOLDER": str(tmp_path / "Karten für alle"),
    }


def table(output: Path) -> dict[str, dict[str, str]]:
    with open(output / "bdgf_results.csv", newline="", encoding="utf-8-sig") as file:
        return {row["scene"]: row for row in csv.DictReader(file)}


def pixels(path: Path) -> np.ndarray:
    values: np.ndarray = gdal.Open(str(path)).ReadAsArray()
    return values


def files(output: Path) -> list[str]:
    return sorted(each.name for each in output.iterdir() if not each.name.endswith((".aux.xml", ".qml")))


def test_a_broken_scene_is_told_and_the_rest_is_mapped_by_one_worker(
    given: dict[str, Any], scene: Scene, folder: Path, tmp_path: Path
):
    output = Path(given["OUTPUT_FOLDER"])
    output.mkdir()
    (output / "a süd.tif").write_text("an older map")
    before, log = listing(folder), Workers()
    results = run("classifyfolder", given, log)
    assert results == {
        "OUTPUT_FOLDER": str(output),
        "TABLE": str(output / "bdgf_results.csv"),
        "MAPS": 2,
        "FAILURES": 1,
    }
    assert len(log.ids) >= 2 and set(log.ids) == {worker_id()} and len(run_folders()) == 1
    assert files(output) == ["a süd.tif", "bdgf_results.csv", "c nord.tif"]
    assert (output / "a süd.qml").exists()
    rows = table(output)
    assert [(name, row["status"], row["map"]) for name, row in rows.items()] == [
        ("a süd", "mapped", "a süd.tif"),
        ("b", "failed", ""),
        ("c nord", "mapped", "c nord.tif"),
    ]
    assert "b_optical.tif" in rows["b"]["message"] and rows["b"]["message"] in "\n".join(log.errors)
    single = {"MODEL": given["MODEL"], "MODALITIES": scene.rasters, "DEVICE": "cpu"}
    run("classify", {**single, "OUTPUT": str(tmp_path / "single.tif")})
    expected = pixels(tmp_path / "single.tif")
    assert np.array_equal(pixels(output / "a süd.tif"), expected), "the older map is overwritten"
    assert np.array_equal(pixels(output / "c nord.tif"), expected)
    row = rows["a süd"]
    assert int(row["pixels"]) == np.count_nonzero(expected) and float(row["seconds"]) > 0
    shares = [float(value) for column, value in row.items() if column.startswith("share of ")]
    counted = np.bincount(expected.ravel())[1:] / np.count_nonzero(expected)
    assert sorted(shares) == pytest.approx(sorted([*counted, *[0.0] * (len(shares) - len(counted))]), abs=1e-4)
    bar = [percent for _, percent in log.bar]
    assert bar == sorted(bar) and bar[-1] == pytest.approx(100)
    assert changes(folder, before) == []


def test_a_folder_for_each_scene_confidence_and_files_by_name(given: dict[str, Any], scene: Scene, tmp_path: Path):
    scenes = tmp_path / "scenes"
    for name in ("north", "south", "empty"):
        (scenes / name).mkdir(parents=True)
        shutil.copyfile(scene.optical, scenes / name / "optical.tif")
        if name != "empty":
            shutil.copyfile(scene.dsm, scenes / name / "dsm.tif")
    output = scenes / "maps"
    changed = {"FOLDER": str(scenes), "PATTERNS": "optical.tif; dsm.tif", "OUTPUT_FOLDER": str(output)}
    log = Log()
    results = run("classifyfolder", {**given, **changed, "CONFIDENCE": True}, log)
    assert (results["MAPS"], results["FAILURES"]) == (2, 1)
    names = [f"{name}{each}.tif" for name in ("north", "south") for each in ("", "_confidence")]
    assert files(output) == ["bdgf_results.csv", *names]
    assert "no file for dsm.tif" in table(output)["empty"]["message"]
    assert "optical.tif (optical) found 3 files" in log.told and "dsm.tif (dsm) found 2 files" in log.told
    assert 0 < pixels(output / "north_confidence.tif").max() <= 1
    rasters = [str(scenes / "north" / f"{each}.tif") for each in ("dsm", "optical")]
    given.pop("FOLDER")
    results = run("classifyfolder", {**given, "FILES": rasters, "PATTERNS": "optical.tif; dsm.tif"})
    assert results["MAPS"] == 1 and table(Path(given["OUTPUT_FOLDER"]))["north"]["status"] == "mapped"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PATTERNS": "*_optical.tif; *_height.tif"}, "*_height.tif (dsm) found 0 files"),
        ({"PATTERNS": "*_optical.tif"}, "needs 2 patterns"),
        ({"PATTERNS": "optical.tif; dsm.tif"}, "Files there: none"),
        ({"FOLDER": "/not/there"}, "The folder /not/there is not there"),
        ({"FOLDER": None}, "Choose the folder with the scenes"),
        ({"OUTPUT_FOLDER": "the same"}, "holds the rasters themselves"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_written(
    given: dict[str, Any], folder: Path, tmp_path: Path, changed: dict[str, Any], said: str
):
    if "OUTPUT_FOLDER" in changed:
        changed = {"OUTPUT_FOLDER": str(folder)}
    before = listing(tmp_path)
    assert said in refused("classifyfolder", {**given, **changed})
    assert listing(tmp_path) == before and children() == []


def test_names_that_are_odd_cost_no_other_scene(given: dict[str, Any], scene: Scene, folder: Path):
    for each in list(folder.iterdir()):
        each.unlink()
    for name in (b"=1+1", b"\xff", b"b\x07", b"0" * 239):
        for raster, end in ((scene.optical, b"_optical.tif"), (scene.dsm, b"_dsm.tif")):
            shutil.copyfile(raster, os.fsencode(folder) + b"/" + name + end)
    log = Log()
    results = run("classifyfolder", given, log)
    rows = table(Path(given["OUTPUT_FOLDER"]))
    assert list(rows) == ["0" * 239, "'=1+1"] and rows["'=1+1"]["status"] == "mapped"
    assert results["MAPS"] + results["FAILURES"] == 2
    for name in ("\ufffd_optical.tif", "\ufffd_dsm.tif", "b _optical.tif", "b _dsm.tif"):
        assert f"{name} has characters that cannot be read; it is left out: rename it." in log.warned


def test_cancel_keeps_finished_maps_and_the_table(given: dict[str, Any], scene: Scene, folder: Path):
    shutil.copyfile(scene.optical, folder / "b_optical.tif")
    log = Workers(lambda log, number: log.cancel_now() if number == 2 else None)
    said = refused("classifyfolder", given, log)
    assert time.monotonic() - log.cancelled_at < 3
    assert "Cancelled; finished maps stay" in said and "Scenes mapped: 1; failed: 0" in said
    output = Path(given["OUTPUT_FOLDER"])
    assert files(output) == ["a süd.tif", "bdgf_results.csv"]
    assert [row["status"] for row in table(output).values()] == ["mapped", "cancelled", "not begun"]
    end_idle_worker()
    assert children() == [] and run_folders() == set()


def test_a_scene_that_was_cut_says_where_its_blocks_are_kept(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blocks, "MEMORY", 1)
    log = Workers()
    log.progressChanged.connect(lambda now: log.cancel_now() if now > 16 and not log.cancelled_at else None)
    refused("classifyfolder", given, log)
    output = Path(given["OUTPUT_FOLDER"])
    message = table(output)["a süd"]["message"]
    assert f"finished blocks are kept in {output / 'a süd.tif.bdgf-part'}" in message and message in log.told


def test_a_worker_that_dies_costs_its_scene_alone(given: dict[str, Any], scene: Scene, folder: Path):
    shutil.copyfile(scene.optical, folder / "b_optical.tif")
    log = Workers(lambda log, number: os.kill(log.ids[-1], signal.SIGKILL) if number == 2 else None)
    assert run("classifyfolder", given, log)["MAPS"] == 2
    rows = table(Path(given["OUTPUT_FOLDER"]))
    assert [row["status"] for row in rows.values()] == ["mapped", "failed", "mapped"]
    assert "SIGKILL" in rows["b"]["message"]
    assert log.ids[0] == log.ids[1] != log.ids[2]
    for each in kept_logs(rows["b"]["message"]):
        each.unlink()


def test_where_no_worker_is_to_wait_a_folder_still_has_one_for_all(given: dict[str, Any]):
    write_preferences(Preferences(idle=0))
    try:
        log = Workers()
        run("classifyfolder", given, log)
        assert len(set(log.ids)) == 1
        assert children() == [] and run_folders() == set()
    finally:
        write_preferences(Preferences())


def test_no_map_takes_the_place_of_another(given: dict[str, Any], scene: Scene, folder: Path):
    for name in ("b", "a süd_confidence"):
        shutil.copyfile(scene.optical, folder / f"{name}_optical.tif")
        shutil.copyfile(scene.dsm, folder / f"{name}_dsm.tif")
    assert run("classifyfolder", {**given, "CONFIDENCE": True})["FAILURES"] == 1
    rows = table(Path(given["OUTPUT_FOLDER"]))
    assert "is named a süd_confidence.tif, too" in rows["a süd_confidence"]["message"]
    assert pixels(Path(given["OUTPUT_FOLDER"]) / "a süd_confidence.tif").dtype == np.float32


def test_no_map_at_all_is_a_failure(given: dict[str, Any], folder: Path):
    for each in folder.glob("*_dsm.tif"):
        each.write_text("no raster")
    said = refused("classifyfolder", given)
    assert "Scenes mapped: 0; failed: 3" in said and "a süd_dsm.tif" in said
    assert [row["status"] for row in table(Path(given["OUTPUT_FOLDER"])).values()] == ["failed"] * 3


def test_results_of_ours_are_no_scenes(given: dict[str, Any], scene: Scene, folder: Path):
    """The truth of the demo is a class raster of ours, as a map is."""
    for each in folder.glob("*_dsm.tif"):
        shutil.copyfile(scene.truth, each)
    said = refused("classifyfolder", given)
    assert "a süd_dsm.tif' is a class raster that BDGF wrote" in said and "leave it out" in said


def test_a_python_that_is_missing_stops_everything(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BDGF_PYTHON", "/nowhere/python")
    assert "BDGF_PYTHON names /nowhere/python" in refused("classifyfolder", given)
    assert table(Path(given["OUTPUT_FOLDER"])) == {}


def test_two_runs_never_write_one_table(given: dict[str, Any], tmp_path: Path):
    output = Path(given["OUTPUT_FOLDER"])
    output.mkdir()
    with SceneTable(output / "bdgf_results.csv", ()) as first:
        first.add(SceneResult("a", MAPPED))
        before = listing(tmp_path)
        said = refused("classifyfolder", given)
        assert f"Another run is writing to {output / 'bdgf_results.csv'}" in said
        assert listing(tmp_path) == before and children() == []
    with SceneTable(output / "bdgf_results.csv", ()):
        pass  # the lock went with the run
