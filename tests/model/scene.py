"""Small synthetic scenes for the tests of model/, written as the tiles that QGIS would store."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bdgf.model.shared.infos import ClassInfo, ModalityInfo, SceneInfo
from bdgf.model.shared.jobs import TileFiles, TrainJob
from bdgf.model.shared.settings import PRESETS, BranchSettings, DiffusionSettings, Settings, TrainingSettings

TILE = 64


class SilentReporter:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.fractions: list[float] = []
        self.phases: list[str] = []
        self.notes: list[str] = []

    def progress(self, phase: str, fraction: float, text: str = "", step: int = 0, steps: int = 0) -> None:
        self.phases.append(phase)
        self.fractions.append(fraction)

    def note(self, level: str, text: str) -> None:
        self.notes.append(text)

    def check(self) -> None:
        pass


def tiny_settings(**changes: object) -> Settings:
    """The quick preset made small enough for a test; `changes` replace whole groups of settings."""
    groups: dict[str, object] = {
        "patch_size": 32,
        "stride": 24,
        "inference_batch": 4,
        "diffusion": DiffusionSettings(width=8, steps=6, batch=2, measure_every=2),
        "branches": BranchSettings(width=32, depth=1),
        "training": TrainingSettings(steps=8, batch=2),
    }
    return Settings(**{**groups, **changes})  # type: ignore[arg-type]


def checkered(rows: int = 128, columns: int = 128, square: int = 16) -> np.ndarray:
    """Two classes in squares, (rows, columns) of 0 and 1."""
    pattern: np.ndarray = (np.indices((rows, columns)) // square).sum(axis=0) % 2
    return pattern


def rasters_of(truth: np.ndarray, bands: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    """One raster (C, h, w) a modality in which the classes differ, with noise."""
    random = np.random.default_rng(seed)
    return [
        (truth * 60 + 100 + random.normal(0, 10, (count, *truth.shape))).astype(np.uint16 if place else np.float32)
        for place, count in enumerate(bands)
    ]


def store(
    folder: Path, rasters: list[np.ndarray], valid: np.ndarray, points: np.ndarray, held: np.ndarray
) -> TileFiles:
    """Writes tiles as QGIS does; rows and columns are multiples of the tile."""
    index = np.argwhere(np.ones((valid.shape[0] // TILE, valid.shape[1] // TILE))).astype(np.int32)

    def cut(array: np.ndarray) -> np.ndarray:
        return np.stack([array[..., r * TILE : (r + 1) * TILE, c * TILE : (c + 1) * TILE] for r, c in index.tolist()])

    folder.mkdir(parents=True, exist_ok=True)
    arrays = {"index": index, "valid": cut(valid), "training": points, "held": held}
    arrays |= {f"modality{place}": cut(np.where(valid, raster, 0)) for place, raster in enumerate(rasters)}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    paths = {name: str(folder / f"{name}.npy") for name in arrays}
    modalities = tuple(paths[f"modality{place}"] for place in range(len(rasters)))
    return TileFiles(TILE, paths["index"], modalities, paths["valid"], paths["training"], paths["held"])


def train_job(
    folder: Path, settings: Settings | None = None, bands: tuple[int, ...] = (3, 1), seed: int = 1
) -> TrainJob:
    """A small but whole training job: two classes, 40 labelled and 40 held-out pixels in some squares each."""
    truth = checkered()
    valid = np.ones(truth.shape, dtype=bool)
    valid[:5, :40] = False
    random = np.random.default_rng(seed)
    cells = np.argwhere(valid)
    chosen = cells[random.choice(len(cells), 80, replace=False)]
    codes = truth[chosen[:, 0], chosen[:, 1]]
    units = (chosen[:, 0] // 16) * 100 + chosen[:, 1] // 16
    points = np.column_stack([chosen, codes, units]).astype(np.int32)
    tiles = store(folder, rasters_of(truth, bands, seed), valid, points[:40], points[40:])
    return TrainJob(
        tiles=tiles,
        modalities=tuple(
            ModalityInfo(f"raster {place}", tuple(f"band {each}" for each in range(count)), "float32")
            for place, count in enumerate(bands)
        ),
        scene=SceneInfo("", (1.0, 1.0), truth.shape),
        classes=(ClassInfo(1, "dark", "#202020"), ClassInfo(2, "bright", "#e0e0e0")),
        settings=settings or tiny_settings(),
        seed=seed,
        device="cpu",
        output=str(folder / "model.safetensors"),
        plugin_version="test",
        samples_hash="",
    )


__all__ = ["PRESETS", "SilentReporter", "checkered", "rasters_of", "store", "tiny_settings", "train_job"]
