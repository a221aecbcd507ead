"""No result destroys what a run reads, another result, or what another run writes."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal
from qgis.core import QgsProcessingContext, QgsProject, QgsVectorLayer

from bdgf.bdgf_qgis.feedback import SILENT
from bdgf.bdgf_qgis.files.conflicts import ReadFiles
from bdgf.bdgf_qgis.workflows.polygon_inputs import layer_files
from bdgf.bdgf_qgis.workflows.result_files import file_result, held_places
from bdgf.tests.algorithms.helpers import QUICK, Log, Scene, Trained, project_layer, refused, run

Refuse = Callable[..., str]


@pytest.fixture
def town(scene: Scene, trained: Trained, tmp_path: Path) -> Path:
    """A folder with everything that a run may read."""
    for each in (scene.optical, scene.dsm, scene.training, scene.validation, scene.truth, trained.model):
        shutil.copy(each, tmp_path)
    gdal.VectorTranslate(str(tmp_path / "drawn.shp"), scene.training, layers=["training"])
    (tmp_path / "optical.qml").write_text("the user's style")
    gdal.Translate(str(tmp_path / "inner.vrt"), str(tmp_path / "dsm.tif"), format="VRT")
    gdal.Translate(str(tmp_path / "outer.vrt"), str(tmp_path / "inner.vrt"), format="VRT")
    return tmp_path


@pytest.fixture
def refuse(town: Path) -> Refuse:
    """What a run says that is refused; every file is the same file after it, unchanged."""

    def state() -> dict[str, tuple[int, int, bytes]]:
        files = [each for each in town.rglob("*") if each.is_file() and not each.name.endswith(("-wal", "-shm"))]
        return {
            each.name: (each.stat().st_ino, each.lstat().st_ino, b"" if each.suffix == ".gpkg" else each.read_bytes())
            for each in files
            if not each.name.endswith(".aux.xml")
        }

    def try_it(name: str, **given: Any) -> str:
        before = state()
        inputs = {
            "train": {
                "MODALITIES": [str(town / "optical.tif"), str(town / "dsm.tif")],
                "SAMPLES": str(town / "training.gpkg"),
                "CLASS_FIELD": "class_id",
                "MODEL": str(town / "new.safetensors"),
                **QUICK,
            },
            "classify": {
                "MODEL": str(town / "model.safetensors"),
                "MODALITIES": [str(town / "optical.tif"), str(town / "dsm.tif")],
                "OUTPUT": str(town / "map.tif"),
                "DEVICE": "cpu",
            },
            "assess": {
                "CLASSIFICATION": str(town / "truth.tif"),
                "REFERENCE": str(town / "validation.gpkg"),
                "CLASS_FIELD": "class_id",
            },
            "pretrain": {"MODALITIES": [str(town / "optical.tif")], "MODEL": str(town / "new.safetensors"), **QUICK},
        }[name]
        places = {key: str(town / value) if isinstance(value, str) else value for key, value in given.items()}
        said = refused(name, {**inputs, **places})
        assert state() == before
        return said

    return try_it


@pytest.mark.parametrize(
    ("name", "given", "file"),
    [
        ("train", {"MODEL": "training.gpkg"}, "training.gpkg"),
        ("train", {"REPORT": "Training.GPKG"}, "training.gpkg"),
        ("train", {"SAMPLES": "training.gpkg|layername=training", "REPORT": "training.gpkg"}, "training.gpkg"),
        ("train", {"SAMPLES": "drawn.shp", "REPORT": "drawn.dbf"}, "drawn."),
        ("train", {"PRETRAINED": "model.safetensors", "MODEL": "model.safetensors"}, "model.safetensors"),
        ("train", {"REPORT": "optical.qml"}, "optical.tif"),
        ("train", {"REPORT": "dsm.tif.aux.xml"}, "dsm.tif"),
        ("pretrain", {"PRETRAINED": "model.safetensors", "MODEL": "Model.safetensors"}, "model.safetensors"),
        ("pretrain", {"MODEL": "optical.tif"}, "optical.tif"),
        ("classify", {"OUTPUT": "optical.tiff"}, "optical.qml"),
        ("classify", {"OUTPUT": "DSM.tif"}, "dsm.tif"),
        ("classify", {"CONFIDENCE": "optical.tiff"}, "optical.qml"),
        ("classify", {"MASK": "drawn.shp", "OUTPUT": "drawn.tif"}, "drawn.qml"),
        ("assess", {"REPORT": "validation.gpkg"}, "validation.gpkg"),
        ("assess", {"JSON": "truth.tif.aux.xml"}, "truth.tif"),
    ],
)
def test_what_is_read_is_never_replaced(refuse: Refuse, name: str, given: dict[str, str], file: str):
    said = refuse(name, **given)
    assert "would replace" in said and file in said and "choose another file name" in said


def test_what_a_virtual_raster_is_made_of_is_read(refuse: Refuse, town: Path):
    rasters = [str(town / "optical.tif"), str(town / "outer.vrt")]
    assert "dsm.tif" in refuse("classify", MODALITIES=rasters, OUTPUT="dsm.tif")
    os.link(town / "dsm.tif", town / "second.tif")
    (town / "third.tif").symlink_to("dsm.tif")
    for name in ("second.tif", "third.tif"):
        assert "dsm.tif" in refuse("classify", MODALITIES=rasters, OUTPUT=name)


def test_results_never_replace_each_other(refuse: Refuse):
    for other in ("map.tiff", "MAP.tif"):
        assert "Two results would be written to" in refuse("classify", CONFIDENCE=other)
    checkpoint = "new.safetensors.bdgf-pretraining.safetensors"
    assert "Two results" in refuse("train", REPORT=checkpoint)
    assert "Two results" in refuse("assess", REPORT="a", JSON="A")


def test_a_map_of_a_folder_replaces_no_file_of_another_scene(town: Path, tmp_path: Path):
    """Scene b is a virtual raster over a file in the folder for maps, which has the name of a map."""
    scenes, maps = town / "scenes", town / "maps"
    for each in (scenes, maps):
        each.mkdir()
    shutil.copy(town / "optical.tif", maps / "a.tif")
    for name, source in (("a", town / "optical.tif"), ("b", maps / "a.tif")):
        gdal.Translate(str(scenes / f"{name}_optical.vrt"), str(source), format="VRT")
        shutil.copy(town / "dsm.tif", scenes / f"{name}_dsm.tif")
    (town / "precious").write_text("precious")
    (maps / "bdgf_results.csv").symlink_to(town / "precious")
    before = (maps / "a.tif").read_bytes()
    given = {"MODEL": str(town / "model.safetensors"), "FOLDER": str(scenes), "OUTPUT_FOLDER": str(maps)}
    results = run("classifyfolder", {**given, "PATTERNS": "*_optical.vrt; *_dsm.tif", "DEVICE": "cpu"})
    assert (results["MAPS"], results["FAILURES"]) == (1, 1) and (maps / "a.tif").read_bytes() == before
    assert "would replace a file that is read" in (maps / "bdgf_results.csv").read_text()
    assert (town / "precious").read_text() == "precious", "a table that is a link is not written through"


@pytest.mark.parametrize(
    ("name", "key", "place"),
    [
        ("train", "MODEL", "new.safetensors"),
        ("train", "REPORT", "new.html"),
        ("pretrain", "MODEL", "new.safetensors"),
        ("classify", "CONFIDENCE", "sure.tif"),
        ("assess", "JSON", "new.json"),
    ],
)
def test_what_another_run_writes_is_refused(refuse: Refuse, town: Path, name: str, key: str, place: str):
    with held_places([file_result(str(town / place.upper()))], ReadFiles(), SILENT):
        assert "Another run is writing to" in refuse(name, **{key: place})


def test_a_training_holds_its_place_to_the_end(refuse: Refuse, town: Path):
    said: list[str] = []

    def meanwhile(log: Log, text: str) -> None:
        if "polygons" in text and not said:
            said.append(refused("pretrain", {"MODALITIES": [str(town / "dsm.tif")], "MODEL": target, **QUICK}))
            log.cancel_now()

    target = str(town / "new.safetensors")
    given = {"MODALITIES": [str(town / "optical.tif")], "SAMPLES": str(town / "training.gpkg"), "MODEL": target}
    assert "Cancelled" in refused("train", {**given, "CLASS_FIELD": "class_id", **QUICK}, Log(meanwhile))
    assert "Another run is writing to" in said[0] and not [each for each in os.listdir(town) if each.startswith(".")]


@pytest.mark.parametrize(("name", "key", "end", "most"), [
    ("train", "MODEL", ".safetensors", 213), ("train", "REPORT", ".html", 247), ("classify", "OUTPUT", ".tif", 245),
    ("classify", "CONFIDENCE", ".tif", 247), ("assess", "JSON", ".json", 247),
])  # fmt: skip
def test_a_long_name_is_refused_with_the_letters_that_fit(refuse: Refuse, name: str, key: str, end: str, most: int):
    for count in (most + 1, 251, 255, 300):
        said = refuse(name, **{key: "n" * (count - len(end)) + end})
        assert "is too long" in said and f"{most} letters at most" in said
    assert "is too long" in refuse(name, **{key: "木" * 90 + end})


def test_the_longest_names_work(town: Path):
    layer, report = town / ("l" * 242 + ".gpkg"), town / ("r" * 242 + ".html")
    run("createtraininglayer", {"CLASSES": ["1", "Water", ""], "CRS": "EPSG:32632", "OUTPUT": str(layer)})
    given = {"CLASSIFICATION": str(town / "truth.tif"), "REFERENCE": str(town / "validation.gpkg")}
    run("assess", {**given, "CLASS_FIELD": "class_id", "REPORT": str(report)})
    assert layer.exists() and report.exists()


@pytest.mark.parametrize("place", ["pipe", "device", "nul\0.json"])
def test_what_is_no_file_is_no_place(refuse: Refuse, town: Path, place: str):
    os.mkfifo(town / "pipe")
    os.symlink("/dev/null", town / "device")
    said = refuse("assess", JSON=place)
    assert ("no file but a device or a pipe" in said) or "no file name should have" in said
    assert Path("/dev/null").is_char_device() and (town / "pipe").is_fifo()


def test_files_of_layers(town: Path):
    samples = project_layer(f"{town / 'training.gpkg'}|layername=training")
    drawn = project_layer(str(town / "drawn.shp"))
    virtual = QgsVectorLayer(f"?layer_ref={drawn.id()}&query=SELECT * FROM {drawn.id()}", "seen", "virtual")
    memory = QgsVectorLayer("Polygon?crs=EPSG:32632", "drawn", "memory")
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    assert layer_files(samples, context) == (str(town / "training.gpkg"),)
    shapefile = set(layer_files(drawn, context))
    assert {str(town / f"drawn.{end}") for end in ("shp", "shx", "dbf", "prj")} <= shapefile
    assert virtual.isValid() and set(layer_files(virtual, context)) == shapefile
    assert layer_files(memory, context) == () and layer_files(None, context) == ()


def test_a_training_layer_on_a_full_disk(town: Path):
    """A limit on the size of files stands for the disk."""
    target = town / "new" / "drawn.gpkg"
    given = {"CLASSES": ["1", "Water", ""], "CRS": "EPSG:32632", "OUTPUT": str(target)}
    run("createtraininglayer", given)
    whole, limits = target.stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)
    shutil.rmtree(target.parent)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for less in (1, 40_000, 80_000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (whole - less, limits[1]))
            said = refused("createtraininglayer", given)
            assert "unexpected" not in said and not target.parent.exists()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
