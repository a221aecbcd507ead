"""Blocks: planned so that each pixel is computed once, with all that its windows need."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.grid import Window
from bdgf.bdgf_qgis.raster.reading.blocks import block_with_halo, plan_blocks, write_block
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.tests.raster.helpers import TRANSFORM, make_raster

EVERYTHING = Window(0, 0, 600, 800)


@pytest.mark.parametrize("window", [Window(0, 0, 500, 700), Window(43, 52, 358, 387), Window(7, 9, 1, 1)])
@pytest.mark.parametrize("memory", [1, 10 * 300**2, 10 * 500**2, 10**10])
def test_blocks_cover_exactly_once(window: Window, memory: int) -> None:
    blocks = plan_blocks(window, 10, 64, 48, memory)
    seen = np.zeros((EVERYTHING.height, EVERYTHING.width), int)
    for block in blocks:
        seen[block.slices_in(EVERYTHING)] += 1
        for first, end, low, high in (
            (block.row, block.row_end, window.row, window.row_end),
            (block.column, block.column_end, window.column, window.column_end),
        ):
            assert first % 48 == 0 or first == low
            assert end % 48 == 0 or end == high
    inside = np.zeros_like(seen)
    inside[window.slices_in(EVERYTHING)] = 1
    assert (seen == inside).all()


def test_blocks_keep_to_their_memory() -> None:
    for memory in (10 * 300**2, 10 * 800**2):
        for block in plan_blocks(Window(0, 0, 3000, 3000), 10, 64, 48, memory):
            assert block_with_halo(block, 64, 48).pixels * 10 <= memory
    assert max(each.height for each in plan_blocks(Window(0, 0, 9000, 9000), 1, 64, 48, 10**12)) <= 1024


@pytest.mark.parametrize(("size", "stride"), [(64, 48), (32, 24), (48, 24), (20, 13)])
def test_the_surroundings_are_those_of_all_windows_that_touch(size: int, stride: int) -> None:
    random = np.random.default_rng(2)
    corners = np.arange(-20, 60) * stride
    for _ in range(50):
        row, column, height, width = (int(each) for each in random.integers(1, 200, 4))
        rows = corners[(corners + size > row) & (corners < row + height)]
        columns = corners[(corners + size > column) & (corners < column + width)]
        wanted = Window(rows[0], columns[0], rows[-1] - rows[0] + size, columns[-1] - columns[0] + size)
        assert block_with_halo(Window(row, column, height, width), size, stride) == wanted


def test_files_hold_what_the_worker_needs(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    array = random.integers(0, 9, (2, 150, 160)).astype(np.uint8)
    array[:, 96:, :48] = 0
    shifted = (TRANSFORM[0] - 200, 10.0, 0.0, TRANSFORM[3] + 100, 0.0, -10.0)
    sources = [
        make_raster(tmp_path / "a.tif", array, nodata=0),
        make_raster(tmp_path / "b.tif", random.normal(size=(200, 200)), shifted),
    ]
    with open_stack(sources) as stack:
        for number, window in enumerate(plan_blocks(stack.grid.window, stack.pixel_bytes, 32, 24, 1)):
            block = write_block(stack, number, window, tmp_path, 32, 24)
            if block is None:
                assert not stack.read_valid(window).any()
                continue
            assert (block.number, block.row, block.column, block.height, block.width) == (
                number, window.row, window.column, window.height, window.width,
            )  # fmt: skip
            arrays, valid = [np.load(each) for each in block.modalities], np.load(block.valid)
            region = Window(block.top, block.left, *valid.shape)
            values, inside = stack.read(region)
            assert (valid == inside).all()
            assert all(a.dtype == b.dtype and (a == b).all() for a, b in zip(arrays, values, strict=True))
            halo = block_with_halo(window, 32, 24)
            assert stack.read_valid(halo).sum() == valid.sum(), "no valid pixel of a window is missing"
            assert block.output.startswith(str(tmp_path))


def test_blocks_without_a_pixel_to_classify_are_none(tmp_path: Path) -> None:
    array = np.ones((96, 96), np.uint8)
    array[:48, :48] = 0
    with open_stack([make_raster(tmp_path / "a.tif", array, nodata=0)]) as stack:
        folder = tmp_path / "blocks"
        folder.mkdir()
        assert write_block(stack, 0, Window(0, 0, 48, 48), folder, 64, 48) is None
        assert write_block(stack, 1, Window(0, 200, 48, 48), folder, 64, 48) is None
        none = np.zeros((48, 48), bool)
        assert write_block(stack, 2, Window(48, 48, 48, 48), folder, 64, 48, none) is None
        assert list(folder.iterdir()) == []
        none[3, 4] = True
        assert write_block(stack, 3, Window(48, 48, 48, 48), folder, 64, 48, none) is not None


def test_gdal_keeps_no_tiles_of_blocks_that_were_read(tmp_path: Path) -> None:
    array = np.arange(512 * 512, dtype=np.uint16).reshape(512, 512)
    tiled = make_raster(tmp_path / "tiled.tif", array, options=["TILED=YES", "COMPRESS=DEFLATE"])
    with open_stack([tiled], tiled) as stack:
        before = gdal.GetCacheUsed()
        assert write_block(stack, 0, Window(0, 0, 480, 480), tmp_path, 64, 40) is not None
        assert gdal.GetCacheUsed() <= before


def test_more_blocks_than_anybody_waits_for_are_refused_before_they_are_made() -> None:
    with pytest.raises(RasterError, match="40,000,000 x 20,000,000 pixels are too many for one map"):
        plan_blocks(Window(0, 0, 20_000_000, 40_000_000), 100, 64, 48)
