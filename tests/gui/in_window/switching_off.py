"""The plugin is switched off, reloaded or replaced, and layers are taken away, while runs are under way."""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qgis.utils
from inside import HOME, Run, main, processes, tell, wait
from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.tools.dataobjects import createContext
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer, QgsSettings, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication, QEvent
from qgis.utils import iface

SCENE = HOME / "scene"
MODEL = HOME / "model.safetensors"
PYTHONS = {kind: str(HOME / f"python-{kind}") for kind in ("loading", "train", "map")}
REAL = os.environ["BDGF_PYTHON"]
BEFORE = set(processes())


def layers() -> dict[str, str]:
    """Ids of the scene's layers, put into the project where they are not in it."""
    project = QgsProject.instance()
    found = {}
    for name in ("optical.tif", "dsm.tif", "truth.tif", "training.gpkg"):
        stem = name.partition(".")[0]
        there = project.mapLayersByName(stem)
        path = str(SCENE / name)
        made = there[0] if there else None
        if made is None:
            made = QgsRasterLayer(path, stem) if name.endswith("tif") else QgsVectorLayer(path, stem, "ogr")
            project.addMapLayer(made)
        found[stem] = made.id()
    return found


def training(folder: Path, **changed: Any) -> dict[str, Any]:
    scene = layers()
    return {
        "MODALITIES": [scene["optical"], scene["dsm"]],
        "GRID": scene["optical"],
        "SAMPLES": scene["training"],
        "CLASS_FIELD": "class_id",
        "PRESET": "quick",
        "PRETRAIN_STEPS": 2,
        "STEPS": 3,
        "HOLDOUT": 0,
        "DEVICE": "cpu",
        "MODEL": str(folder / "model.safetensors"),
        "REPORT": str(folder / "report.html"),
        **changed,
    }


def pretraining(folder: Path) -> dict[str, Any]:
    given = training(folder)
    return {key: given[key] for key in ("MODALITIES", "GRID", "PRESET", "DEVICE", "MODEL")}


def classification(folder: Path) -> dict[str, Any]:
    scene = layers()
    return {
        "MODEL": str(MODEL),
        "MODALITIES": [scene["optical"], scene["dsm"]],
        "GRID": scene["optical"],
        "DEVICE": "cpu",
        "OUTPUT": str(folder / "map.tif"),
        "CONFIDENCE": str(folder / "confidence.tif"),
    }


def folder_of_scenes(folder: Path) -> dict[str, Any]:
    patterns = "*optical.tif; *dsm.tif"
    return {"MODEL": str(MODEL), "FOLDER": str(SCENE), "PATTERNS": patterns, "OUTPUT_FOLDER": str(folder / "maps")}


def assessment(folder: Path) -> dict[str, Any]:
    scene = layers()
    return {
        "CLASSIFICATION": scene["truth"],
        "REFERENCE": scene["training"],
        "CLASS_FIELD": "class_id",
        "REPORT": str(folder / "report.html"),
    }


def large_town(folder: Path) -> dict[str, Any]:
    return {"FOLDER": str(folder), "SIZE": 1500, "SEED": 1}


def check(folder: Path) -> dict[str, Any]:
    return {"DEVICE": "cpu", "REPORT": str(folder / "report.html")}


def nothing(folder: Path) -> dict[str, Any]:
    return {}


# name: algorithm, its parameters in a folder of the case's own, the worker, the words of the bar at which to act
PHASES: dict[str, tuple[str, Callable[[Path], dict[str, Any]], str, str]] = {
    "town": ("createdemoscene", large_town, "train", "Building the town"),
    "worker_starts": ("train", training, "loading", "loading torch"),
    "polygons": ("train", training, "train", "Reading the polygons"),
    "rasters": ("train", training, "train", "Reading the rasters"),
    "pretraining_of_train": ("train", training, "train", "without labels"),
    "training": ("train", lambda folder: training(folder, SEED=1), "train", "Training on the samples"),
    "pretraining": ("pretrain", pretraining, "train", "without labels"),
    "comparing": ("classify", classification, "train", "Comparing with the training"),
    "classifying": ("classify", classification, "train", "Classifying"),
    "writing": ("classify", classification, "map", "Writing the map"),
    "scenes": ("classifyfolder", folder_of_scenes, "train", "Classifying"),
    "assessing": ("assess", assessment, "train", "Comparing map and reference"),
    "checking": ("checkenvironment", check, "train", "Checking"),
    "installing": ("installenvironment", nothing, "train", "Python"),
}


def unload() -> bool:
    return bool(qgis.utils.unloadPlugin("bdgf"))


def load() -> bool:
    return bool(qgis.utils.loadPlugin("bdgf") and qgis.utils.startPlugin("bdgf"))


def reload() -> bool:
    return bool(qgis.utils.reloadPlugin("bdgf"))


def upgrade() -> bool:
    """As the plugin manager does: switched off, its folder replaced, switched on."""
    well = unload()
    shutil.rmtree(HOME / "plugins" / "bdgf")
    shutil.copytree(HOME / "plugins" / "newer", HOME / "plugins" / "bdgf")
    return load() and well


def remove_layers() -> bool:
    QgsProject.instance().removeAllMapLayers()
    QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)
    return True


def clear_project() -> bool:
    QgsProject.instance().setDirty(False)
    return bool(iface.newProject(False))


def left_behind(folder: Path) -> dict[str, Any]:
    """What a run must not leave."""
    wait(lambda: set(processes()) <= BEFORE, 3.0)
    return {
        "files": sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()),
        "processes": [name for pid, name in processes().items() if pid not in BEFORE],
        "folders": [each.name for each in (HOME / "tmp").glob("bdgf-*")],
    }


def switched_off(phase: str, act: Callable[[], bool]) -> None:
    """Act while a run is in the phase: the run must be over when the plugin is off."""
    algorithm, parameters, worker, words = PHASES[phase]
    folder = HOME / f"{phase}-{act.__name__}"
    folder.mkdir()
    os.environ["BDGF_PYTHON"] = PYTHONS[worker]
    run = Run(algorithm, parameters(folder), words)
    reached = run.reach()
    began = time.monotonic()
    done = act()
    seconds = time.monotonic() - began
    ended = wait(lambda: bool(run.ended), 2.0)
    gc.collect()
    iface.mapCanvases()  # looks at every widget, those of the dialog that is still open, too
    left = left_behind(folder)
    bar = " ".join(each.text() for each in iface.messageBar().items())
    tell(
        f"{phase}-{act.__name__}",
        reached=reached,
        done=done,
        seconds=seconds,
        ended=ended,
        well=run.ended,
        said=run.feedback.said,
        bar=bar,
        left=left,
    )
    run.close()
    if act is unload:
        load()


def taken_away(phase: str, act: Callable[[], bool]) -> None:
    """Take layers away while a run is in the phase, then cancel it."""
    algorithm, parameters, worker, words = PHASES[phase]
    folder = HOME / f"{phase}-{act.__name__}"
    folder.mkdir()
    os.environ["BDGF_PYTHON"] = PYTHONS[worker]
    run = Run(algorithm, parameters(folder), words)
    reached = run.reach()
    done = act()
    wait(lambda: False, 0.3)
    running = not run.ended
    run.feedback.cancel()
    ended = wait(lambda: bool(run.ended), 3.0)
    tell(
        f"{phase}-{act.__name__}",
        reached=reached,
        done=done,
        running=running,
        ended=ended,
        well=run.ended,
        said=run.feedback.said,
    )
    run.close()


def to_the_end() -> None:
    """The layers of a real training are taken away and the project is closed: it ends well all the same."""
    well = Run("createdemoscene", {"FOLDER": str(SCENE), "SIZE": 120, "SEED": 1}).wait()
    os.environ["BDGF_PYTHON"] = REAL
    run = Run("train", training(HOME), "loading torch")
    reached = run.reach()
    remove_layers()
    clear_project()
    trained = run.wait(120)
    tell("to_the_end", scene=well, reached=reached, well=trained, said=run.feedback.said)
    run.close()


def just_over() -> None:
    """A run is over, and the plugin goes before the window has heard of it; then the old dialog is asked to run."""
    path = HOME / "late" / "drawn.gpkg"
    run = Run("createtraininglayer", {"CLASSES": [1, "water", ""], "CRS": "EPSG:32632", "OUTPUT": str(path)})
    while not path.exists():
        time.sleep(0.05)
    time.sleep(0.5)
    well = unload()
    heard = wait(lambda: bool(run.ended), 5.0)
    names = [each.name() for each in QgsProject.instance().mapLayers().values()]
    tell("just_over", well=well, heard=heard, ended=run.ended, loaded="drawn" in names, refused=refused(run))
    run.close()
    load()


def refused(run: Run) -> str:
    """What a dialog that was opened before says where it is asked to run; '' where it would run."""
    algorithm = run.dialog.algorithm()
    assert algorithm.id()  # asks the provider for its name, where there is one
    fine, text = algorithm.checkParameterValues(run.parameters, createContext())
    return "" if fine else str(text)


def lost() -> None:
    """The plugin goes while dialogs that Python lost are still there; one of them waits to be deleted."""
    for later in (True, False):
        made = QgsApplication.processingRegistry().createAlgorithmById("bdgf:classify")
        dialog = AlgorithmDialog(made, False, iface.mainWindow())
        if later:
            dialog.deleteLater()
        del made, dialog
        off = unload()
        gc.collect()
        iface.mapCanvases()
        on = load()
        tell(f"lost-{later}", off=off, on=on)
        QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)


def act() -> None:
    QgsSettings().setValue("bdgf/uv", str(HOME / "uv"))
    QgsSettings().setValue("bdgf/torch_backend", "none")
    to_the_end()
    just_over()
    lost()
    for phase in PHASES:
        switched_off(phase, unload)
    for phase, action in (("training", reload), ("classifying", reload), ("training", upgrade)):
        switched_off(phase, action)
    for phase, action in (("training", clear_project), ("classifying", remove_layers), ("assessing", remove_layers)):
        taken_away(phase, action)
    os.environ["BDGF_PYTHON"] = PYTHONS["map"]
    (HOME / "after").mkdir()
    run = Run("classify", classification(HOME / "after"))
    tell("after", well=run.wait(), said=run.feedback.said)


main(act)
