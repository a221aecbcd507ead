"""A run of Classify opens rasters to describe and to read them, and reads its model once."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.raster.samples.polygon_mask import PolygonMask
from bdgf.bdgf_qgis.workflows import model_files
from bdgf.tests.algorithms.helpers import Scene, Trained, run


def test_a_run_of_classify_looks_at_nothing_twice(
    scene: Scene, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()

    def count(owner: Any, name: str, key: Any) -> None:
        original = getattr(owner, name)

        def call(*given: Any, **named: Any) -> Any:
            counts[key(*given)] += 1
            return original(*given, **named)

        monkeypatch.setattr(owner, name, call)

    count(gdal, "OpenEx", lambda path, *_: os.path.basename(path))
    count(model_files, "read_header", lambda path: "header")
    count(model_files, "read_model_file", lambda path: "model")
    count(PolygonMask, "read", lambda _, window: f"mask {window}")
    given = {"MODEL": trained.model, "MODALITIES": scene.rasters, "DEVICE": "cpu", "MASK": scene.validation}
    output = tmp_path / "map.tif"
    run("classify", {**given, "OUTPUT": str(output)})
    for raster in scene.rasters:
        assert counts[Path(raster).name] == 4, "check before the run, description, two threads that read"
    assert (counts["header"], counts["model"]) == (1, 1), "the check before the run, and the run"
    masks = [number for key, number in counts.items() if key.startswith("mask")]
    assert masks and max(masks) == 1, "once a block"
