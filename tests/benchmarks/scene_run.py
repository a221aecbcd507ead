"""The way from polygons to figures through qgis_process, as a user goes it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from bdgf.tools.qgis_process import QgisProcess


@dataclass(frozen=True)
class Run:
    """What a run gave: accuracies as shares, times in seconds."""

    overall: float
    average: float
    kappa: float
    train_seconds: float
    classify_seconds: float


def run_scene(
    qgis: QgisProcess,
    folder: Path,
    rasters: tuple[str, ...],
    out: Path,
    training: str = "train_polygons.gpkg",
    validation: str = "validation_polygons.gpkg",
    **options: object,
) -> Run:
    """Trains on all training polygons of a folder, classifies, and assesses on the validation polygons."""
    paths = [folder / each for each in rasters]
    model, map_path = out / "model.safetensors", out / "map.tif"
    start = time.monotonic()
    given = {"PRESET": "quick", "HOLDOUT": 0, "SEED": 0, **options}
    qgis.run(
        "bdgf:train",
        {
            "MODALITIES": paths,
            "GRID": paths[0],
            "SAMPLES": folder / training,
            "CLASS_FIELD": "class_id",
            "MODEL": model,
            **given,
        },
    )
    trained = time.monotonic()
    qgis.run("bdgf:classify", {"MODEL": model, "MODALITIES": paths, "GRID": paths[0], "OUTPUT": map_path})
    classified = time.monotonic()
    figures = qgis.run(
        "bdgf:assess",
        {"CLASSIFICATION": map_path, "REFERENCE": folder / validation, "CLASS_FIELD": "class_id"},
    )
    return Run(
        figures["OVERALL_ACCURACY"],
        figures["AVERAGE_ACCURACY"],
        figures["KAPPA"],
        trained - start,
        classified - trained,
    )
