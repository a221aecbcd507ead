"""The real scenes by name: their rasters, and the way from polygons to figures through qgis_process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from bdgf.tools.qgis_process import QgisProcess


@dataclass(frozen=True)
class Scene:
    """A folder of rasters with training and validation polygons.

    wanted  overall accuracy with preset quick
    """

    name: str
    rasters: tuple[str, ...]
    wanted: float


SCENES = {
    each.name: each
    for each in (
        Scene("amazon_landsat_srtm", ("optical.tif", "dem_epsg4326_derived.tif"), 0.99),
        Scene("nc_landsat", ("optical.tif", "swir2.tif"), 0.88),
        Scene("trento_lidar", ("lidar_height.tif", "lidar_intensity.tif"), 0.90),
    )
}


@dataclass(frozen=True)
class Figures:
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
) -> Figures:
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
    return Figures(
        figures["OVERALL_ACCURACY"],
        figures["AVERAGE_ACCURACY"],
        figures["KAPPA"],
        trained - start,
        classified - trained,
    )
