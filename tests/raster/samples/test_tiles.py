"""Tiles: which are copied, and that they hold what the rasters hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.grid import Window
from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack, open_stack
from bdgf.bdgf_qgis.raster.samples.labels import Labels, rasterise_labels
from bdgf.bdgf_qgis.raster.samples.tiles import copy_tiles, plan_tiles
from bdgf.model.shared.jobs import TileFiles
from bdgf.tests.engine.helpers import Recorder
from bdgf.tests.raster.helpers import UTM, box, make_raster, wkt

TILE = 16
SHAPE = (150, 170)


@pytest.fixture
def stack(tmp_path: Path) -> ModalityStack:
    random = np.random.default_rng(1)
    first = random.integers(1, 200, (3, *SHAPE)).astype(np.uint8)
    first[:, random.random(SHAPE) < 0.1] = 0
    first[:, 40:80, 60:130] = 0
    second = random.normal(size=SHAPE).astype(np.float32)
    return open_stack([make_raster(tmp_path / "one.tif", first, nodata=0), make_raster(tmp_path / "two.tif", second)])


def labels_of(stack: ModalityStack, *places: tuple[int, int]) -> Labels:
    polygons = [box(n, n % 2, column, row, 3, 3) for n, (row, column) in enumerate(places)]
    return rasterise_labels(stack, polygons, wkt(UTM), holdout=0.34)


def check(stack: ModalityStack, files: TileFiles, area: Window | None = None) -> set[tuple[int, int]]:
    """Compare every stored tile with the rasters; the tiles that are stored."""
    index, valid = np.load(files.index), np.load(files.valid)
    arrays = [np.load(each) for each in files.modalities]
    assert index.dtype == np.int32 and valid.dtype == bool and index.shape == (len(valid), 2)
    for number, (row, column) in enumerate(index):
        window = Window(int(row) * files.tile, int(column) * files.tile, files.tile, files.tile)
        values, inside = stack.read(window)
        if area is not None:
            allowed = np.zeros_like(inside)
            allowed[window.intersection(area).slices_in(window)] = True
            inside &= allowed
        assert inside.any() and (valid[number] == inside).all()
        for stored, wanted in zip(arrays, values, strict=True):
            assert stored.dtype == wanted.dtype and (stored[number] == np.where(inside, wanted, 0)).all()
    places = {(int(row), int(column)) for row, column in index}
    assert len(places) == len(index), "each tile once"
    return places


def all_tiles(stack: ModalityStack) -> set[tuple[int, int]]:
    return {
        (cell.row // TILE, cell.column // TILE)
        for cell in stack.grid.window.cells(TILE)
        if stack.read_valid(cell).any()
    }


def test_a_scene_that_fits_is_copied_whole(stack: ModalityStack, tmp_path: Path) -> None:
    shown = Recorder()
    labels = labels_of(stack, (5, 5), (100, 100), (120, 30), (20, 140), (140, 5), (60, 20))
    files = copy_tiles(stack, labels, tmp_path, TILE, feedback=shown)
    assert check(stack, files) == all_tiles(stack)
    assert files.training is not None and (np.load(files.training) == labels.training).all()
    assert files.held_out is not None and (np.load(files.held_out) == labels.held_out).all()
    seen = [share for _, share, _ in shown.bar]
    assert seen == sorted(seen) and seen[-1] == 1.0 and max(seen) == 1.0
    assert len(shown.notes) == 1 and "MiB" in shown.notes[0] and not shown.warnings


def bytes_for(stack: ModalityStack, tiles: int) -> int:
    bands = [len(modality.bands) for modality in stack.modalities]
    in_memory = 4 + sum(4 * min(32, count) + 2 * count for count in bands)  # what the worker makes of a pixel
    return tiles * (max(stack.pixel_bytes, in_memory) * TILE * TILE + 8)


def test_labelled_tiles_and_their_neighbours_come_before_random_ones(stack: ModalityStack, tmp_path: Path) -> None:
    labels = labels_of(stack, (20, 20), (100, 100))
    files = copy_tiles(stack, labels, tmp_path, TILE, bytes_for(stack, 40), seed=1)
    places = check(stack, files)
    cells = {(int(row), int(column)) for row, column in labels.points[:, :2] // TILE}
    near = {(row + down, column + right) for row, column in cells for down in (-1, 0, 1) for right in (-1, 0, 1)}
    assert near & all_tiles(stack) <= places and len(places) == 40
    other = {tuple(each) for each in np.load(copy_tiles(stack, labels, tmp_path, TILE, bytes_for(stack, 40), 2).index)}
    again = {tuple(each) for each in np.load(copy_tiles(stack, labels, tmp_path, TILE, bytes_for(stack, 40), 1).index)}
    assert again == places != other


def test_where_room_is_short_neighbours_go_first_and_it_is_said(stack: ModalityStack, tmp_path: Path) -> None:
    labels = labels_of(stack, (20, 20), (100, 100), (140, 10))
    log = Recorder()
    files = copy_tiles(stack, labels, tmp_path, TILE, bytes_for(stack, 6), feedback=log)
    places = check(stack, files)
    cells = {(int(row), int(column)) for row, column in labels.points[:, :2] // TILE}
    assert cells <= places and len(places) == 6
    assert "beside labelled ones" in log.warnings[0]


def test_then_labelled_tiles_go_evenly_over_the_classes(stack: ModalityStack, tmp_path: Path) -> None:
    many = [(row, column) for row in (2, 98, 130) for column in range(2, 160, 16)]
    polygons = [box(n, 1 if n else 0, column, row, 3, 3) for n, (row, column) in enumerate(many)]
    labels = rasterise_labels(stack, polygons, wkt(UTM), holdout=0.3)
    log = Recorder()
    files = copy_tiles(stack, labels, tmp_path, TILE, bytes_for(stack, 9), feedback=log)
    places = check(stack, files)
    assert len(places) == 9 and any("25 of 30 tiles with labelled pixels" in text for text in log.notes)
    training, held_out = np.load(str(files.training)), np.load(str(files.held_out))
    points = np.concatenate([training, held_out])
    assert set(points[:, 2]) == {0, 1}
    used = {(int(row), int(column)) for row, column in points[:, :2] // TILE}
    assert used <= places and len(used) >= 5
    inside = [tuple(each) in places for each in (labels.training[:, :2] // TILE).tolist()]
    assert len(training) == sum(inside) and 0 < len(held_out) <= len(labels.held_out)


def test_half_of_the_room_is_drawn_whatever_the_labels_are(stack: ModalityStack, tmp_path: Path) -> None:
    """So pre-training, which learns from those tiles alone, gives the same network after polygons were edited."""

    def blind(name: str, labels: Labels | None, seed: int = 1, tiles: int = 30) -> tuple[TileFiles, list[list[int]]]:
        folder = tmp_path / name
        folder.mkdir()
        files = copy_tiles(stack, labels, folder, TILE, bytes_for(stack, tiles), seed)
        check(stack, files)
        assert files.blind is not None
        return files, np.load(files.index)[: files.blind].tolist()

    one = blind("one", labels_of(stack, (20, 20), (100, 100)))
    other = blind("other", labels_of(stack, (5, 150), (140, 10), (70, 20)))
    none = blind("none", None)
    assert one[1] == other[1] == none[1] and one[0].blind == 15
    assert len(np.load(none[0].index)) == 15, "a scene without labels needs no others"
    assert {tuple(each) for each in np.load(one[0].index)} != {tuple(each) for each in np.load(other[0].index)}
    assert blind("seed", None, seed=2)[1] != one[1]
    labels = labels_of(stack, (20, 20), (100, 100))
    everything = sorted(map(list, all_tiles(stack)))
    assert blind("whole", labels, tiles=500)[1] == blind("bare", None, tiles=500)[1] == everything


def test_without_labels_and_within_an_extent(stack: ModalityStack, tmp_path: Path) -> None:
    area = Window(10, 20, 70, 60)
    files = copy_tiles(stack, None, tmp_path, TILE, extent=area)
    places = check(stack, files, area)
    assert files.training is None and files.held_out is None
    assert all(0 <= row <= 4 and 1 <= column <= 4 for row, column in places)


def test_nothing_valid_is_refused(stack: ModalityStack, tmp_path: Path) -> None:
    with pytest.raises(RasterError, match="no pixel where all of them are valid"):
        copy_tiles(stack, None, tmp_path, TILE, extent=Window(45, 65, 20, 40))


def test_cancel_is_honoured(stack: ModalityStack, tmp_path: Path) -> None:
    with pytest.raises(RunCancelled):
        copy_tiles(stack, None, tmp_path, TILE, feedback=Recorder(lambda recorder: True))


def test_a_full_disk_is_reported(stack: ModalityStack, tmp_path: Path) -> None:
    code = f"""
import resource, signal
from pathlib import Path
from bdgf.bdgf_qgis.files.errors import FileError
from bdgf.bdgf_qgis.raster.reading.raster import describe
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples.tiles import copy_tiles
stack = open_stack([describe({stack.modalities[0].raster.path!r}, "one")])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    copy_tiles(stack, None, Path({str(tmp_path)!r}), {TILE})
except FileError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be written" in result.stdout and "free some space" in result.stdout


def test_the_scene_is_never_held_in_memory(tmp_path: Path) -> None:
    """128 MB of pixels, of which 1 MB is copied (4 MB in the worker), with less than 100 MB more than before."""
    code = f"""
import resource
from pathlib import Path
import numpy as np
from osgeo import gdal
gdal.SetCacheMax(8 * 1024 * 1024)
from bdgf.bdgf_qgis.raster.reading.raster import describe
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples.tiles import copy_tiles
folder = Path({str(tmp_path)!r})
options = ["TILED=YES", "SPARSE_OK=TRUE"]
dataset = gdal.GetDriverByName("GTiff").Create(str(folder / "big.tif"), 4000, 4000, 8, gdal.GDT_Byte, options)
dataset = None
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open_stack([describe(str(folder / "big.tif"), "big")]) as stack:
    files = copy_tiles(stack, None, folder, 64, 4 * 1024**2)
print(len(np.load(files.index)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    tiles, grown = map(int, result.stdout.split())
    assert tiles == 4 * 1024**2 // (((4 + 2) * 8 + 4) * 64 * 64 + 8) // 2 and grown < 100_000


def test_the_tiles_of_a_continent_are_drawn_in_bounded_memory() -> None:
    plan = plan_tiles(Window(0, 0, 20_000_000, 40_000_000), None, 64, 1000, 0)
    assert plan.total == 312_500 * 625_000 and len(plan.fill) > 3_900_000
    assert len(np.unique(plan.fill, axis=0)) == len(plan.fill), "each tile once"
    assert (plan.fill.min(axis=0) >= 0).all() and (plan.fill.max(axis=0) < (312_500, 625_000)).all()
    assert (abs(plan.fill.mean(axis=0) / (312_500, 625_000) - 0.5) < 0.01).all(), "from all over"
