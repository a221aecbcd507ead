"""A classification that was cut goes on from its finished blocks, and gives the map of one that was not."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal
from osgeo_utils.samples.validate_cloud_optimized_geotiff import validate
from qgis.core import QgsProcessingUtils, QgsRasterLayer

from bdgf.bdgf_qgis.files.kept_blocks import KeptBlocks
from bdgf.bdgf_qgis.raster.output.metadata import read_class_table
from bdgf.bdgf_qgis.raster.reading import blocks
from bdgf.tests.algorithms.helpers import (
    Log,
    Scene,
    Trained,
    changes,
    kept_logs,
    listing,
    refused,
    run,
    worker_id,
)

BLOCKS = 9  # of 40 x 40 pixels
KEYS = ("OUTPUT", "CONFIDENCE", "PROBABILITIES")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MEMORY", 1)


def call(trained: Trained, scene: Scene, folder: Path, **changed: Any) -> dict[str, Any]:
    paths = {key: str(folder / f"{key.lower()}.tif") for key in KEYS}
    return {"MODEL": trained.model, "MODALITIES": scene.rasters, "DEVICE": "cpu", **paths, **changed}


def files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def part(folder: Path) -> Path:
    return folder / "output.tif.bdgf-part"


def finished(folder: Path) -> list[int]:
    """Numbers of the blocks that wait."""
    return sorted(int(each.stem.partition("-")[2]) for each in part(folder).glob("block-*.json"))


def at_percent(percent: float, act: Callable[[Log], None]) -> Log:
    """A log that acts once, in the run's own thread, when the bar has come so far."""
    log, acted = Log(), []

    def moved(now: float) -> None:
        if now >= percent and not acted:
            acted.append(now)
            act(log)

    log.progressChanged.connect(moved)
    return log


def kill_worker(log: Log) -> None:
    os.kill(worker_id(), signal.SIGKILL)


@dataclass(frozen=True)
class Cut:
    """A run that was cancelled halfway: the rasters' copies, its folder, finished blocks, what it said."""

    rasters: list[str]
    folder: Path
    done: list[int]
    said: str
    log: Log

    def copy(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.folder, folder / "maps"))


@pytest.fixture(scope="module")
def uncut(trained: Trained, scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a run in nine blocks that nothing disturbed."""
    folder = tmp_path_factory.mktemp("uncut")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "MEMORY", 1)
        run("classify", call(trained, scene, folder))
    return folder


@pytest.fixture(scope="module")
def cut(trained: Trained, scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Cut:
    folder = tmp_path_factory.mktemp("cut")
    rasters = [shutil.copy(each, folder) for each in scene.rasters]
    maps, log = folder / "new" / "maps", at_percent(45, Log.cancel_now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "MEMORY", 1)
        said = refused("classify", call(trained, scene, maps, MODALITIES=rasters), log)
    return Cut(rasters, maps, finished(maps), said, log)


def test_block_size_does_not_matter(
    trained: Trained, scene: Scene, uncut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.undo()
    log = Log()
    run("classify", call(trained, scene, tmp_path), log)
    assert any("block 1 of 1" in text for _, text in log.texts)
    for key in ("output", "probabilities"):
        one, nine = (gdal.Open(str(each / f"{key}.tif")).ReadAsArray() for each in (tmp_path, uncut))
        assert (np.abs(one.astype(int) - nine) <= (key == "probabilities")).all()


def test_a_cancelled_run_says_what_is_kept(cut: Cut):
    assert 0 < len(cut.done) < BLOCKS
    assert "Cancelled" in cut.said and "the same call goes on" in cut.said
    assert f"{len(cut.done)} of {BLOCKS} finished blocks are kept in {part(cut.folder)}" in cut.said
    assert [each.name for each in cut.folder.iterdir()] == [part(cut.folder).name], "no draft is left"
    assert len(json.loads((part(cut.folder) / "manifest.json").read_text())["call"]) == 64
    assert any(f"of {BLOCKS} · on CPU, " in text and "estimating" in text for _, text in cut.log.texts)


def test_the_same_call_goes_on_to_the_same_map(trained: Trained, scene: Scene, cut: Cut, uncut: Path, tmp_path: Path):
    folder, log = cut.copy(tmp_path), Log()
    results = run("classify", call(trained, scene, folder, MODALITIES=cut.rasters), log)
    assert f"{len(cut.done)} of {BLOCKS} blocks are finished from an earlier run" in log.told
    assert files(folder) == files(uncut)
    assert results["CLASSIFIED_PIXELS"] == np.count_nonzero(gdal.Open(results["OUTPUT"]).ReadAsArray())


def test_a_killed_worker_costs_one_block_and_damaged_blocks_are_made_again(
    trained: Trained, scene: Scene, uncut: Path, tmp_path: Path
):
    log = at_percent(60, kill_worker)
    said = refused("classify", call(trained, scene, tmp_path), log)
    for each in kept_logs(said):
        each.unlink()
    done = finished(tmp_path)
    assert len(done) >= 4 and "finished blocks are kept" in log.told
    damaged = part(tmp_path) / f"block-{done[1]}-classes.tif"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(content)
    (part(tmp_path) / f"block-{done[2]}.json").write_text('{"number": ')
    (part(tmp_path) / ".bdgf-12345678-new.tif").write_text("draft of a run that was killed")
    log = Log()
    run("classify", call(trained, scene, tmp_path), log)
    assert f"{len(done) - 2} of {BLOCKS} blocks are finished" in log.told
    assert files(tmp_path) == files(uncut)


def test_a_cancel_at_the_last_moment_keeps_all_blocks_and_another_layout_may_follow(
    trained: Trained, scene: Scene, uncut: Path, tmp_path: Path
):
    (tmp_path / "output.tif").write_text("an older map")
    said = refused("classify", call(trained, scene, tmp_path), at_percent(97, Log.cancel_now))
    assert "Cancelled" in said and f"{BLOCKS} of {BLOCKS}" in said
    assert {each.name for each in tmp_path.iterdir()} == {"output.tif", part(tmp_path).name}
    assert (tmp_path / "output.tif").read_text() == "an older map"
    assert len(list(part(tmp_path).iterdir())) == 2 + 4 * BLOCKS, "lock, manifest, and four files a block"
    run("classify", call(trained, scene, tmp_path, COG=True))
    for key in KEYS:
        plain, cloud = (gdal.Open(str(each / f"{key.lower()}.tif")) for each in (uncut, tmp_path))
        assert validate(str(tmp_path / f"{key.lower()}.tif"), full_check=True)[:2] == ([], [])
        assert cloud.GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE") == "COG"
        assert (plain.ReadAsArray() == cloud.ReadAsArray()).all()
        for number in range(1, plain.RasterCount + 1):
            one, other = plain.GetRasterBand(number), cloud.GetRasterBand(number)
            assert one.GetDescription() == other.GetDescription() and one.GetScale() == other.GetScale()
            assert one.GetNoDataValue() == other.GetNoDataValue() and one.GetMetadata() == other.GetMetadata()
    tables = [read_class_table(gdal.Open(str(each / "output.tif"))) for each in (uncut, tmp_path)]
    assert tables[0] == tables[1] and len(tables[0]) > 3
    assert files(tmp_path).keys() == files(uncut).keys()


@pytest.mark.parametrize("what", ["fewer results", "mask", "extent", "raster", "blocks", "model"])
def test_another_call_starts_over(
    trained: Trained, scene: Scene, cut: Cut, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
):
    folder = cut.copy(tmp_path)
    given = call(trained, scene, folder, MODALITIES=cut.rasters)
    state = os.stat(cut.rasters[0])
    if what == "raster":
        os.utime(cut.rasters[0])
    elif what == "blocks":
        monkeypatch.setattr(blocks, "MEMORY", 1 << 30)
    elif what == "model":
        given["MODEL"] = str(tmp_path / "other.safetensors")
        content = Path(trained.model).read_bytes()
        Path(given["MODEL"]).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        grid = gdal.Open(scene.optical).GetGeoTransform()
        extent = f"{grid[0]},{grid[0] + 100 * grid[1]},{grid[3] + 100 * grid[5]},{grid[3]}"
        given.update({"fewer results": {"PROBABILITIES": None}, "mask": {"MASK": scene.training}}.get(
            what, {"EXTENT": extent}
        ))  # fmt: skip
    log = at_percent(4, Log.cancel_now)
    refused("classify", given, log)
    os.utime(cut.rasters[0], ns=(state.st_atime_ns, state.st_mtime_ns))
    assert "earlier run" not in log.told
    assert list(folder.iterdir()) == [], "blocks of the other call are gone, and none is there of this one"


def test_what_gdal_writes_beside_a_raster_is_the_same_call(trained: Trained, scene: Scene, cut: Cut, tmp_path: Path):
    dataset = gdal.Open(cut.rasters[1])
    dataset.GetRasterBand(1).ComputeStatistics(False)
    del dataset
    assert Path(cut.rasters[1] + ".aux.xml").exists()
    folder, log = cut.copy(tmp_path), at_percent(4, Log.cancel_now)
    said = refused("classify", call(trained, scene, folder, MODALITIES=cut.rasters), log)
    assert "earlier run" in log.told and finished(folder) == cut.done and str(part(folder)) in said


def test_a_second_run_into_the_same_output_is_refused(trained: Trained, scene: Scene, tmp_path: Path):
    with KeptBlocks(tmp_path / "output.tif", "another") as held:
        before = listing(tmp_path)
        said = refused("classify", call(trained, scene, tmp_path))
        assert f"Another run is writing to {tmp_path / 'output.tif'}" in said
        assert changes(tmp_path, before) == []
        held.remove()
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_told_before_any_work(
    trained: Trained, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 0, 100_000))
    log = Log()
    said = refused("classify", call(trained, scene, tmp_path / "new"), log)
    assert "needs about 5 MiB on the disk of" in said and "0 MiB are free" in said
    assert not any("of 9" in text for _, text in log.texts)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 0, 6_000_000))
    assert "Cancelled" in refused("classify", call(trained, scene, tmp_path), at_percent(4, Log.cancel_now))


def test_results_of_models_keep_no_blocks(trained: Trained, scene: Scene):
    """A temporary output has another name in the next call."""
    folder = Path(QgsProcessingUtils.tempFolder()) / "of a model"
    said = refused("classify", call(trained, scene, folder), at_percent(45, Log.cancel_now))
    assert "nothing was written" in said and not folder.exists()


def test_qgis_stretches_without_a_scan_and_leaves_nothing(uncut: Path):
    before = listing(uncut), {each.name for each in uncut.iterdir()}
    for name, nodata in (("confidence", -1.0), ("probabilities", 65535)):
        dataset = gdal.Open(str(uncut / f"{name}.tif"))
        layer = QgsRasterLayer(str(uncut / f"{name}.tif"), name)
        for number in range(1, dataset.RasterCount + 1):
            values = dataset.GetRasterBand(number).ReadAsArray().astype(float)
            values = values[values != nodata]
            stored = dataset.GetRasterBand(number).GetStatistics(False, False)
            assert np.allclose(stored, [values.min(), values.max(), values.mean(), values.std()])
            scale = dataset.GetRasterBand(number).GetScale() or 1.0
            seen = layer.dataProvider().bandStatistics(number)
            assert np.allclose([seen.minimumValue, seen.maximumValue], np.array(stored[:2]) * scale)
        del layer
    assert (listing(uncut), {each.name for each in uncut.iterdir()}) == before
