"""Bad input gets a clear sentence, and leaves nothing behind."""

from __future__ import annotations

import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal, ogr
from qgis.core import QgsProcessingContext

from bdgf.bdgf_qgis.preferences import Preferences, write_preferences
from bdgf.tests.algorithms.helpers import (
    QUICK,
    Scene,
    Trained,
    algorithm,
    changes,
    kept_logs,
    listing,
    project_layer,
    refused,
)
from bdgf.tests.raster.helpers import write_raster


def given(scene: Scene, target: Path, **changes: Any) -> dict[str, Any]:
    """A training that would work but for the changes."""
    parameters = {"MODALITIES": scene.rasters, "SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0}
    return {**parameters, **QUICK, "MODEL": str(target / "model.safetensors"), **changes}


@pytest.fixture
def refuse(scene: Scene, tmp_path: Path) -> Callable[..., str]:
    """What a training says that is refused; no file may have come, gone or changed."""

    def try_it(**changed: Any) -> str:
        before = listing(tmp_path), listing(scene.folder)
        said = refused("train", given(scene, tmp_path, **changed))
        assert [changes(tmp_path, before[0]), changes(scene.folder, before[1])] == [[], []]
        return said

    return try_it


def samples(path: Path, scene: Scene, change: Callable[[ogr.Layer], None] | None = None, sql: str = "") -> str:
    """A copy of the training polygons, changed."""
    statement = sql or "SELECT * FROM training"
    gdal.VectorTranslate(str(path), scene.training, SQLStatement=statement, SQLDialect="SQLITE", format="GPKG")
    return str(path)


def raster_like(path: Path, scene: Scene, value: float, **changes: Any) -> str:
    """A raster of one value on the grid of the image."""
    transform = gdal.Open(scene.optical).GetGeoTransform()
    array = np.full((120, 120), value, np.float32)
    write_raster(path, array, **{"transform": transform, "epsg": 32632, **changes})
    return str(path)


def test_rasters_that_do_not_overlap(refuse: Any, scene: Scene, tmp_path: Path):
    far = raster_like(tmp_path / "far.tif", scene, 1, transform=(700_000.0, 2.0, 0.0, 4_000_000.0, 0.0, -2.0))
    said = refuse(MODALITIES=[scene.optical, far])
    assert "overlap" in said and "'far'" in said


def test_no_polygon_on_valid_pixels(refuse: Any, scene: Scene, tmp_path: Path):
    sql = "SELECT class_id, ST_Translate(geom, 90000, 0, 0) AS geom FROM training"
    said = refuse(SAMPLES=samples(tmp_path / "away.gpkg", scene, sql=sql))
    assert "No polygon lies on valid pixels" in said and "coordinate reference system" in said


def test_one_class_only(refuse: Any, scene: Scene):
    layer = project_layer(scene.training, lambda each: each.setSubsetString("class_id = 4"))
    said = refuse(SAMPLES=layer.id())
    assert "belong to one class, 'concrete roof': at least two" in said


def test_no_polygon_at_all(refuse: Any, scene: Scene):
    layer = project_layer(scene.training, lambda each: each.setSubsetString("class_id = 99"))
    assert "no polygon" in refuse(SAMPLES=layer.id())


@pytest.mark.parametrize("key", ["CLASS_FIELD", "NAME_FIELD"])
def test_a_missing_field(refuse: Any, key: str):
    said = refuse(**{key: "landuse"})
    assert "'training' has no field 'landuse'" in said and "class_id, class_name" in said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("NULL", "The field 'code' is empty in every polygon"),
        ("CASE WHEN class_id = 4 THEN 4.5 ELSE class_id * 1.0 END", "The field 'code' holds 4.5 in polygon"),
        ("class_id - 4", "class codes lie between 0 and 65535"),
        ("class_id * 20000", "class codes lie between 0 and 65535"),
    ],
)
def test_a_field_that_holds_no_classes(refuse: Any, scene: Scene, tmp_path: Path, value: str, said: str):
    sql = f"SELECT {value} AS code, geom FROM training"
    assert said in refuse(SAMPLES=samples(tmp_path / "odd.gpkg", scene, sql=sql), CLASS_FIELD="code")


def test_rasters_that_cannot_be_read(refuse: Any, scene: Scene, tmp_path: Path):
    broken = tmp_path / "broken.tif"
    broken.write_bytes(Path(scene.dsm).read_bytes()[:300])
    for path in (str(broken), str(tmp_path / "missing.tif")):
        said = refuse(MODALITIES=[scene.optical, path])
        assert Path(path).stem in said and "cannot be" in said


def test_a_raster_cut_short_is_told_by_name(refuse: Any, scene: Scene, tmp_path: Path):
    """It opens, and fails where pixels are read."""
    short = tmp_path / "short.tif"
    short.write_bytes(Path(scene.optical).read_bytes()[:-40_000])
    assert "short" in refuse(MODALITIES=[str(short), scene.dsm])


def test_more_rasters_or_bands_than_a_model_holds(scene: Scene):
    """171 images of 24 bands are 4,104 channels: the model would be written, and refused when it is read."""
    context = QgsProcessingContext()
    for name in ("train", "pretrain"):
        for count, said in ((257, "257 rasters were chosen, and a model takes 256"), (171, "up to 4,104 channels")):
            fine, text = algorithm(name).checkParameterValues({"MODALITIES": [scene.optical] * count}, context)
            assert not fine and said in text and "choose fewer" in text


def test_a_raster_of_nodata_only(refuse: Any, scene: Scene, tmp_path: Path):
    empty = raster_like(tmp_path / "empty.tif", scene, -9999, nodata=-9999)
    assert "'empty'" in refuse(MODALITIES=[scene.optical, empty])


def test_a_rotated_grid_and_a_web_layer(refuse: Any, scene: Scene, tmp_path: Path):
    turned = raster_like(tmp_path / "turned.tif", scene, 1, transform=(5e5, 2.0, 0.5, 5e6, 0.5, -2.0))
    assert "'turned' is rotated" in refuse(MODALITIES=[turned])


@pytest.mark.parametrize("key", ["MODEL", "REPORT"])
def test_a_folder_that_cannot_be_written_to(refuse: Any, tmp_path: Path, key: str):
    (tmp_path / "file").write_text("no folder")
    target = str(tmp_path / "file" / "result")
    said = refuse(**{key: target})
    assert f"{target} cannot be written" in said and "choose a folder" in said


def test_an_output_that_is_a_folder(refuse: Any, tmp_path: Path):
    (tmp_path / "taken.safetensors").mkdir()
    assert "a folder of that name" in refuse(MODEL=str(tmp_path / "taken.safetensors"))


def test_a_device_that_is_none(refuse: Any):
    assert "no device 'gpu'" in refuse(DEVICE="gpu")
    assert "cuda:7" in refuse(DEVICE="cuda:7"), "the worker says that it is not there"
    write_preferences(Preferences(device="gpu"))
    try:
        assert "'gpu', set in Settings > Options > BDGF" in refuse(DEVICE="auto")
    finally:
        write_preferences(Preferences())


def test_a_model_to_go_on_from_that_does_not_fit(refuse: Any, scene: Scene, trained: Trained, tmp_path: Path):
    assert "It expects" in refuse(MODALITIES=[scene.dsm, scene.dsm], PRETRAINED=trained.model)
    (tmp_path / "odd.safetensors").write_text("odd")
    assert "odd.safetensors is not a BDGF model" in refuse(PRETRAINED=str(tmp_path / "odd.safetensors"))


@pytest.fixture
def map_of(scene: Scene, trained: Trained, tmp_path: Path) -> Callable[..., str]:
    def try_it(**changed: Any) -> str:
        before = listing(tmp_path), listing(scene.folder)
        parameters = {"MODEL": trained.model, "MODALITIES": scene.rasters, "OUTPUT": str(tmp_path / "map.tif")}
        said = refused("classify", {**parameters, "DEVICE": "cpu", **changed})
        assert [changes(tmp_path, before[0]), changes(scene.folder, before[1])] == [[], []]
        return said

    return try_it


@pytest.mark.parametrize("key", ["OUTPUT", "CONFIDENCE", "PROBABILITIES"])
def test_a_map_that_cannot_be_written(map_of: Any, tmp_path: Path, key: str):
    (tmp_path / "file").write_text("no folder")
    target = str(tmp_path / "file" / "map.tif")
    assert f"{target} cannot be written" in map_of(**{key: target})


def test_a_map_on_a_full_disk(map_of: Any, tmp_path: Path):
    """A limit on the size of files stands for the disk; it must not stop the worker's own files or those of Python."""
    (tmp_path / "map.tif").write_bytes(b"an older result")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        said = map_of()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert "disk" in said, said


def test_nothing_to_classify(map_of: Any, scene: Scene, tmp_path: Path):
    assert "extent holds no pixel" in map_of(EXTENT="0,10,0,10")
    sql = "SELECT class_id, ST_Translate(geom, 90000, 0, 0) AS geom FROM training"
    away = samples(tmp_path / "away.gpkg", scene, sql=sql)
    assert "No polygon of the mask" in map_of(MASK=away)


def test_a_reference_that_fits_no_map(scene: Scene, tmp_path: Path):
    before = listing(tmp_path)
    parameters = {"CLASSIFICATION": scene.truth, "REFERENCE": scene.validation, "JSON": str(tmp_path / "a.json")}
    said = refused("assess", {**parameters, "CLASS_FIELD": "fid2"})
    assert "'validation' has no field 'fid2'" in said
    said = refused("assess", {**parameters, "CLASSIFICATION": scene.dsm, "CLASS_FIELD": "class_name"})
    assert "'dsm' holds no class names" in said
    (tmp_path / "file").write_text("no folder")
    target = str(tmp_path / "file" / "a.json")
    assert target in refused("assess", {**parameters, "CLASS_FIELD": "class_id", "JSON": target})
    (tmp_path / "file").unlink()
    assert listing(tmp_path) == before


def test_python_of_the_worker_that_is_missing_or_has_no_torch(refuse: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BDGF_PYTHON", "/nowhere/python")
    assert "BDGF_PYTHON names /nowhere/python" in refuse()
    monkeypatch.setenv("BDGF_PYTHON", shutil.which("false") or "")
    (log,) = kept_logs(refuse())
    log.unlink()
