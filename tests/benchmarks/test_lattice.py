"""The map does not show where patches lie: a shifted lattice changes little, and no seam stands at their borders."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal

from bdgf.model.shared.settings import PRESETS
from bdgf.tests.benchmarks.accuracy.scene import RASTERS
from bdgf.tools.qgis_process import QgisProcess

MOST_CHANGED = 0.03
MOST_SEAM = 1.1


def changes_at(codes: np.ndarray, valid: np.ndarray, phase: int, stride: int) -> tuple[float, float]:
    """Share of label changes across the borders at `phase` of the lattice, and across all others."""
    at, elsewhere = [], []
    for axis in (0, 1):
        labels, known = (each if axis == 0 else each.T for each in (codes, valid))
        changed = labels[1:] != labels[:-1]
        both = known[1:] & known[:-1]
        border = np.arange(1, len(labels)) % stride == phase
        at.append(changed[border][both[border]])
        elsewhere.append(changed[~border][both[~border]])
    return float(np.concatenate(at).mean()), float(np.concatenate(elsewhere).mean())


def seam_of(codes: np.ndarray, other: np.ndarray, valid: np.ndarray, phase: int, stride: int) -> float:
    """How much more often labels change across the borders at `phase` than in a map whose lattice lies elsewhere.

    The land has edges of its own along any line; they are in both.
    """
    here, elsewhere = changes_at(codes, valid, phase, stride)
    there, other_elsewhere = changes_at(other, valid, phase, stride)
    return here / elsewhere / (there / other_elsewhere)


def test_a_seam_is_told_from_an_edge_of_the_land():
    random = np.random.default_rng(0)
    land = np.kron(random.integers(1, 4, (40, 40)), np.ones((10, 10), int))  # edges along every core border
    valid = np.ones(land.shape, bool)
    assert seam_of(land, land, valid, 10, 40) == 1
    stepped = land.copy()
    stepped[(np.arange(400) - 10) // 40 % 2 == 1, 50:250] = 4
    assert seam_of(stepped, land, valid, 10, 40) > MOST_SEAM


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["nc_landsat", "trento_lidar"])
def test_patches_leave_no_trace(name, scenes, tmp_path):
    folder = scenes(name)
    home = tmp_path / "home"
    home.mkdir()
    qgis = QgisProcess(home)
    paths = [folder / each for each in RASTERS[name]]
    model = tmp_path / "model.safetensors"
    samples = {"SAMPLES": folder / "train_polygons.gpkg", "CLASS_FIELD": "class_id", "HOLDOUT": 0}
    qgis.run("bdgf:train", {"MODALITIES": paths, "GRID": paths[0], "PRESET": "quick", "MODEL": model, **samples})
    # a grid that begins half a stride earlier shifts the lattice, and the fixed noise with it, and hides nothing
    half, stride = PRESETS["quick"].stride // 2, PRESETS["quick"].stride
    whole = gdal.Open(str(paths[0]))
    window = [-half, -half, whole.RasterXSize + half, whole.RasterYSize + half]
    shifted_grid = tmp_path / "shifted.tif"
    gdal.Translate(str(shifted_grid), whole, srcWin=window)
    maps = []
    for grid, output in ((paths[0], tmp_path / "map.tif"), (shifted_grid, tmp_path / "shifted_map.tif")):
        qgis.run("bdgf:classify", {"MODEL": model, "MODALITIES": paths, "GRID": grid, "OUTPUT": output})
        maps.append(placed(gdal.Open(str(output)), whole))
    both = (maps[0] > 0) & (maps[1] > 0)
    changed = float((maps[0] != maps[1])[both].mean())
    print(f"\n{name}: {changed:.3%} of the pixels change with the lattice shifted by half a stride")
    core = (PRESETS["quick"].patch_size - stride) // 2  # where cores meet; in the shifted map half a stride further on
    seam = seam_of(maps[0], maps[1], both, core, stride)
    print(f"across core borders labels change {seam:.3f} times as often as there in the shifted map")
    assert seam <= MOST_SEAM
    assert changed <= MOST_CHANGED


def placed(part: gdal.Dataset, whole: gdal.Dataset) -> np.ndarray:
    """The codes of a map on the pixels of the whole grid, 0 where it has none; the map lies inside the grid."""
    here, there = part.GetGeoTransform(), whole.GetGeoTransform()
    column, row = round((here[0] - there[0]) / there[1]), round((here[3] - there[3]) / there[5])
    codes = np.zeros((whole.RasterYSize, whole.RasterXSize), np.uint8)
    array = part.ReadAsArray()
    codes[row : row + array.shape[0], column : column + array.shape[1]] = array
    return codes
