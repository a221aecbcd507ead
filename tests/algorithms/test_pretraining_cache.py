"""Train and Pre-train find what an earlier run has learned of the same rasters, with a real worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsVectorLayer

from bdgf.bdgf_qgis.preferences import Preferences, write_preferences
from bdgf.model.shared.settings import PRESETS
from bdgf.tests.algorithms.helpers import QUICK, Log, Scene, project_layer, run

REUSED = "Pre-training of this scene reused."


@pytest.fixture(autouse=True)
def cache(tmp_path: Path) -> Iterator[Path]:
    """A cache of the test's own, which the options page names."""
    write_preferences(Preferences(cache=str(tmp_path / "disk")))
    yield tmp_path / "disk" / "bdgf-cache" / "pre-training"
    write_preferences(Preferences())


def train(scene: Scene, folder: Path, **changed: Any) -> tuple[Path, bool]:
    """The model, and whether the pre-training was reused."""
    model, log = folder / f"{len(list(folder.glob('*.safetensors')))}.safetensors", Log()
    samples = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0.3}
    run("train", {"MODALITIES": scene.rasters, **samples, **QUICK, "MODEL": str(model), **changed}, log)
    assert log.bar[-1][1] == 100
    return model, REUSED in log.told


def test_the_second_training_of_a_scene_reuses_the_pre_training(scene: Scene, cache: Path, tmp_path: Path):
    (first, learned), (second, reused) = train(scene, tmp_path), train(scene, tmp_path)
    assert not learned and reused
    assert first.read_bytes() == second.read_bytes(), "the very model that a fresh pre-training gives"
    assert len(list(cache.iterdir())) == 1


def test_other_polygons_and_settings_of_the_classifier_reuse_it_too(scene: Scene, tmp_path: Path):
    assert not train(scene, tmp_path)[1]
    fewer = project_layer(scene.training, lambda layer: layer.setSubsetString("fid % 2 = 0"))
    assert isinstance(fewer, QgsVectorLayer) and 0 < fewer.featureCount()
    changed, reused = train(scene, tmp_path, SAMPLES=fewer, HOLDOUT=0.0, STEPS=3, CLASS_PRIOR="equal")
    assert reused
    write_preferences(Preferences(pretrained=0))
    fresh, learned = train(scene, tmp_path, SAMPLES=fewer, HOLDOUT=0.0, STEPS=3, CLASS_PRIOR="equal")
    assert not learned and changed.read_bytes() == fresh.read_bytes()


def test_other_rasters_seeds_and_steps_do_not(scene: Scene, cache: Path, tmp_path: Path):
    for changes in ({}, {"SEED": 4}, {"MODALITIES": [scene.optical]}, {"PRETRAIN_STEPS": 3}, {"PRESET": "standard"}):
        assert not train(scene, tmp_path, **changes)[1], changes
    assert len(list(cache.iterdir())) == 5


def test_pre_train_and_train_share_it(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Pre-train has no steps of its own to set: here the preset has few."""
    monkeypatch.setitem(PRESETS, "quick", PRESETS["quick"].with_steps(3, None))
    given = {"MODALITIES": scene.rasters, "PRESET": "quick", "DEVICE": "cpu"}
    models, logs = [tmp_path / "first.safetensors", tmp_path / "second.safetensors"], [Log(), Log()]
    for model, log in zip(models, logs, strict=True):
        run("pretrain", {**given, "MODEL": str(model)}, log)
    assert [REUSED in log.told for log in logs] == [False, True]
    assert models[0].read_bytes() == models[1].read_bytes()
    assert train(scene, tmp_path, PRETRAIN_STEPS=None)[1]


def test_switched_off_nothing_is_kept_or_found(scene: Scene, cache: Path, tmp_path: Path):
    write_preferences(Preferences(cache=str(tmp_path / "disk"), pretrained=0))
    assert not train(scene, tmp_path)[1] and not train(scene, tmp_path)[1]
    assert not cache.exists()


def test_a_damaged_entry_is_learned_anew_with_a_note(scene: Scene, cache: Path, tmp_path: Path):
    first, _ = train(scene, tmp_path)
    (entry,) = cache.iterdir()
    content = entry.read_bytes()
    entry.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    log, model = Log(), tmp_path / "again.safetensors"
    samples = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0.3}
    run("train", {"MODALITIES": scene.rasters, **samples, **QUICK, "MODEL": str(model)}, log)
    assert f"{entry} is damaged" in log.warned and REUSED not in log.told
    assert model.read_bytes() == first.read_bytes()
    assert train(scene, tmp_path)[1], "made anew"
