"""A fresh profile with nothing but the plugin: refused with a sentence, installed, trained. Through qgis_process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bdgf.bdgf_qgis.environment.python import PLUGIN_ROOT
from bdgf.tools.qgis_process import QgisProcess, QgisProcessError

SHIPPED = ("__init__.py", "metadata.txt", "requirements.txt", "bdgf_qgis", "model", "resources")


@pytest.fixture
def fresh(shared: Path, with_uv: Any) -> Iterator[QgisProcess]:
    """QGIS with a home of its own and a copy of the plugin, without the environment of the development tree."""
    with tempfile.TemporaryDirectory(dir=shared, prefix="Jürgens Rechner ") as name:
        home = Path(name)
        plugin = home / "plugins" / "bdgf"
        plugin.mkdir(parents=True)
        for each in SHIPPED:
            source = PLUGIN_ROOT / each
            if source.is_dir():
                shutil.copytree(source, plugin / each, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, plugin / each)
        process = QgisProcess(home, {**with_uv.variables, "QGIS_PLUGINPATH": str(plugin.parent)})
        process.environment.pop("BDGF_PYTHON", None)
        yield process


def test_train_works_after_one_installation(fresh: QgisProcess) -> None:
    home = Path(fresh.environment["HOME"])
    scene = fresh.run("bdgf:createdemoscene", {"FOLDER": home / "scene", "SIZE": 120, "SEED": 1})
    training = {
        "MODALITIES": [scene["OPTICAL"], scene["DSM"]],
        "SAMPLES": scene["TRAINING"],
        "CLASS_FIELD": "class_id",
        "PRESET": "quick",
        "PRETRAIN_STEPS": 2,
        "STEPS": 2,
        "HOLDOUT": 0,
        "MODEL": home / "model.safetensors",
    }
    with pytest.raises(QgisProcessError, match="BDGF needs PyTorch, which is not set up yet"):
        fresh.run("bdgf:train", training)
    made = fresh.run("bdgf:installenvironment", {"TORCH_BACKEND": "none"})
    assert made["PYTHON"].startswith(str(home)) and os.access(made["PYTHON"], os.X_OK)
    fresh.run("bdgf:train", training)
    assert (home / "model.safetensors").stat().st_size > 100_000
    assert not list(home.glob("*.part*")), "no half-written file"
