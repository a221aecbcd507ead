"""A scene and a model that all tests of the algorithms share; each test leaves no process and no folder."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsApplication, QgsProject

from bdgf.bdgf_qgis.provider import BdgfProvider
from bdgf.bdgf_qgis.workflows.session import end_idle_worker
from bdgf.tests.algorithms.helpers import QUICK, Log, Scene, Trained, children, run, run_folders


@pytest.fixture(scope="session")
def provider(qgis_app: Any, qgis_processing: Any) -> Iterator[BdgfProvider]:
    """The provider in QGIS's registry."""
    provider = BdgfProvider()
    assert QgsApplication.processingRegistry().addProvider(provider)
    yield provider
    QgsApplication.processingRegistry().removeProvider(provider)


@pytest.fixture(autouse=True)
def nothing_left(provider: BdgfProvider) -> Iterator[None]:
    yield
    end_idle_worker()
    QgsProject.instance().clear()
    gc.collect()  # while QGIS is there: objects of its own in reference cycles must not outlive it
    assert children() == []
    assert run_folders() == set()


@pytest.fixture(scope="session")
def scene(provider: BdgfProvider, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("scene")
    made = run("createdemoscene", {"FOLDER": str(folder), "SIZE": 120, "SEED": 5})
    names = ("OPTICAL", "DSM", "TRAINING", "VALIDATION", "TRUTH")
    return Scene(folder, *(made[name] for name in names))


@pytest.fixture(scope="session")
def trained(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    log = Log()
    wanted = {"MODEL": str(folder / "model.safetensors"), "REPORT": str(folder / "report.html")}
    samples = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0.3}
    results = run("train", {"MODALITIES": scene.rasters, **samples, **QUICK, **wanted}, log)
    end_idle_worker()  # each test begins without one
    return Trained(wanted["MODEL"], Path(wanted["REPORT"]), results, log)
