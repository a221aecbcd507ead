"""The map does not show where windows lie: a shifted lattice changes little, and no seam stands at their borders."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal

from bdgf.model.settings import PRESETS
from bdgf.tests.benchmarks.scenes import SCENES
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


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["nc_landsat", "trento_lidar"])
def test_windows_leave_no_trace(name, scenes, tmp_path):
    folder, scene = scenes(name), SCENES[name]
    home = tmp_path / "home"
    home.mkdir()
    qgis = QgisProcess(home)
    paths = [folder / each for each in scene.rasters]
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
    overlap = PRESETS["quick"].window - stride
    for phase in (0, overlap // 2):  # where windows begin, where cores meet
        border, elsewhere = changes_at(maps[0], maps[0] > 0, phase, stride)
        print(f"changes at phase {phase}: {border:.4f}, elsewhere {elsewhere:.4f}, ratio {border / elsewhere:.3f}")
    border, elsewhere = changes_at(maps[0], maps[0] > 0, overlap // 2, stride)
    assert border <= MOST_SEAM * elsewhere
    assert changed <= MOST_CHANGED


def placed(part: gdal.Dataset, whole: gdal.Dataset) -> np.ndarray:
    """The codes of a map on the pixels of the whole grid, 0 where it has none; the map lies inside the grid."""
    here, there = part.GetGeoTransform(), whole.GetGeoTransform()
    column, row = round((here[0] - there[0]) / there[1]), round((here[3] - there[3]) / there[5])
    codes = np.zeros((whole.RasterYSize, whole.RasterXSize), np.uint8)
    array = part.ReadAsArray()
    codes[row : row + array.shape[0], column : column + array.shape[1]] = array
    return codes
