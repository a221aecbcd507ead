"""Rasters put together from blocks: the same bytes in any order, with overviews and statistics."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from osgeo_utils.samples.validate_cloud_optimized_geotiff import validate

from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.bdgf_qgis.files.atomic_file import AtomicFile
from bdgf.bdgf_qgis.raster.grid import Grid, Window
from bdgf.bdgf_qgis.raster.output.metadata import Lineage, read_lineage
from bdgf.bdgf_qgis.raster.output.mosaic import BlockFile, Content, Statistics, write_block_file, write_mosaic
from bdgf.model.shared.infos import ClassInfo, TrainingPolygons
from bdgf.tests.engine.helpers import Recorder
from bdgf.tests.raster.helpers import TRANSFORM, UTM, wkt

GRID = Grid(1200, 900, TRANSFORM, wkt(UTM))
WINDOW = Window(30, 40, 700, 1100)
DRAWN = TrainingPolygons(3, (7, 2**64 - 1), ("wald", "1"))
CODES = Content(
    "uint8",
    0,
    ("class",),
    (ClassInfo(1, "Wald", "#00ff00"), ClassInfo(7, "See", "#0000ff")),
    lineage=Lineage("classes", "ab" * 32, "1.0", ("Bild & 'Höhe'", "dsm"), DRAWN),
)
SHARES = Content(
    "uint16", 65_535, ("Wald", "See & Ufer"), scale=1 / 65_534, lineage=Lineage("probabilities", "ab" * 32, "1.0")
)
SURE = Content("float32", -1.0, ("confidence",), lineage=Lineage("confidence"))


def values(content: Content) -> np.ndarray:
    random = np.random.default_rng(1)
    shape = (len(content.names), WINDOW.height, WINDOW.width)
    if content.classes:
        return np.kron(random.choice([1, 7, 7], (1, 70, 110)), np.ones((1, 10, 10))).astype(np.uint8)
    if content.scale:
        return random.integers(0, 65_535, shape).astype(np.uint16)
    return random.random(shape).astype(np.float32)


def held_open(*folders: Path) -> list[str]:
    """Files in some folders that this process holds open, but for a draft's lock: Windows would not delete them."""
    links = [each for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    files = [each.readlink() for each in links if each.exists()]
    return [str(each) for each in files if each.parent in folders and each.suffix != ".lock"]


class Watched(AtomicFile):
    """Remembers what was held open when it was given up, with the error at hand."""

    held: list[str]

    def discard(self) -> None:
        self.held = held_open(self.path.parent, self.path.parent.parent)
        super().discard()


def parts_of(array: np.ndarray, content: Content, folder: Path, side: int = 250) -> list[BlockFile]:
    parts = []
    for number, window in enumerate(WINDOW.cells(side)):
        parts.append(BlockFile(folder / f"block & {number}.tif", window))
        write_block_file(parts[-1], array[(slice(None), *window.slices_in(WINDOW))], content)
    return parts


def put_together(
    path: Path, parts: Sequence[BlockFile], content: Content, statistics: Sequence[Statistics] = (), cloud: bool = False
) -> None:
    with AtomicFile(path) as draft:
        write_mosaic(draft, parts, content, GRID, WINDOW, statistics, cloud)
        draft.commit()


@pytest.mark.parametrize("cloud", [False, True])
@pytest.mark.parametrize("content", [CODES, SHARES, SURE], ids=["codes", "shares", "sure"])
def test_everything_is_in_the_file(tmp_path: Path, content: Content, cloud: bool) -> None:
    array = values(content)
    parts = parts_of(array, content, tmp_path)
    gone = parts.pop(5).window.slices_in(WINDOW)
    array[(slice(None), *gone)] = content.nodata
    figures = [] if content.classes else [Statistics.of(plane, content.nodata) for plane in array]
    path = tmp_path / "out" / "map.tif"
    put_together(path, parts, content, figures, cloud)
    names = {"map.tif", "map.tif.aux.xml"} if content.classes else {"map.tif"}
    assert {each.name for each in path.parent.iterdir()} == names
    dataset = gdal.Open(str(path))
    assert np.array_equal(dataset.ReadAsArray(), array if len(array) > 1 else array[0])
    assert dataset.GetGeoTransform() == GRID.transform_of(WINDOW) and "33N" in dataset.GetProjection()
    for number, name in enumerate(content.names, 1):
        band = dataset.GetRasterBand(number)
        assert (band.GetDescription(), band.GetNoDataValue()) == (name, content.nodata)
        assert (band.GetScale() or 1) == (content.scale or 1) and band.GetBlockSize() == [256, 256]
        overviews = [band.GetOverview(each) for each in range(band.GetOverviewCount())]
        assert [round(WINDOW.width / each.XSize) for each in overviews] == [2, 4, 8]
        assert ("STATISTICS_MEAN" in band.GetMetadata()) == (not content.classes)
        assert len(band.GetDefaultRAT() or ()) == 0 if not content.classes else band.GetDefaultRAT().GetRowCount() == 2
    assert read_lineage(dataset) == content.lineage
    structure = dataset.GetMetadata("IMAGE_STRUCTURE")
    assert structure["COMPRESSION"] == "DEFLATE" and structure.get("LAYOUT") == ("COG" if cloud else None)
    if cloud:
        assert validate(str(path), full_check=True)[:2] == ([], [])


def test_a_relative_path_that_begins_with_a_blank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(" blocks").mkdir()
    array = values(CODES)
    put_together(Path(" map.tif"), parts_of(array, CODES, Path(" blocks")), CODES)
    assert np.array_equal(gdal.Open(str(tmp_path / " map.tif")).ReadAsArray(), array[0])


def test_overviews_hold_codes_and_averages(tmp_path: Path) -> None:
    for content in (CODES, SHARES):
        array = values(content)
        array[0, :10, :11] = content.nodata
        path = tmp_path / "map.tif"
        put_together(path, parts_of(array, content, tmp_path), content)
        dataset = gdal.Open(str(path))
        small = dataset.GetRasterBand(1).GetOverview(0).ReadAsArray()
        if content.classes:
            assert set(np.unique(small)) == {0, 1, 7}
            assert (small[5:, 6:] == array[0, 10::2, 12::2]).all(), "cells of 10 pixels are of one code"
        else:
            pairs = array[0, 10:, 12:].reshape(345, 2, 544, 2).mean(axis=(1, 3))
            assert np.abs(small[5:, 6:] - pairs).max() <= 1
            assert small[0, 5] == pytest.approx(array[0, :2, 11].mean(), abs=1), "nodata takes no part"


def test_order_and_size_of_blocks_do_not_show(tmp_path: Path) -> None:
    array, contents = values(SHARES), []
    for side, step in ((250, 1), (250, -1), (300, 1)):
        folder = tmp_path / f"{side} {step}"
        folder.mkdir()
        put_together(folder / "map.tif", parts_of(array, SHARES, folder, side)[::step], SHARES)
        contents.append((folder / "map.tif").read_bytes())
    assert contents[0] == contents[1] == contents[2]


def test_statistics_of_blocks_are_those_of_the_whole() -> None:
    array = values(SURE)[0]
    array[200:400, 100:500] = SURE.nodata
    parts = [Statistics.of(array[row : row + 90], SURE.nodata) for row in range(0, 700, 90)]
    parts.append(Statistics.of(np.full((3, 3), -1.0), SURE.nodata))
    whole = Statistics.together(parts)
    inside = array[array != SURE.nodata].astype(float)
    assert astuple(whole) == pytest.approx(astuple(Statistics.of(array, SURE.nodata)))
    items = {name: float(value) for name, value in whole.items(array.size).items()}
    assert items["STATISTICS_STDDEV"] == pytest.approx(inside.std())
    assert items["STATISTICS_MEAN"] == pytest.approx(inside.mean())
    assert items["STATISTICS_VALID_PERCENT"] == pytest.approx(100 * inside.size / array.size, rel=1e-3)
    assert Statistics.together(parts[-1:]).items(9) == {}


@pytest.mark.parametrize("cloud", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cancel_leaves_nothing(tmp_path: Path, cloud: bool, share: float) -> None:
    folder = tmp_path / "out"
    parts = parts_of(values(SHARES), SHARES, tmp_path)
    stopping = Recorder(lambda recorder: recorder.bar[-1][1] >= share)
    with pytest.raises(RunCancelled), Watched(folder / "map.tif") as draft:
        write_mosaic(draft, parts, SHARES, GRID, WINDOW, (), cloud, stopping)
    assert not folder.exists() and draft.held == []


@pytest.mark.parametrize("cloud", [False, True])
def test_a_full_disk_leaves_nothing(tmp_path: Path, cloud: bool) -> None:
    """At every stage: copying, overviews, closing."""
    path = tmp_path / "out" / "map.tif"
    parts_of(values(SHARES), SHARES, tmp_path)
    put_together(
        path, [BlockFile(tmp_path / f"block & {n}.tif", w) for n, w in enumerate(WINDOW.cells(250))], SHARES, (), cloud
    )
    whole = path.stat().st_size
    path.write_text("old")
    code = f"""
import resource
from pathlib import Path
from bdgf.bdgf_qgis.files.errors import FileError
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.tests.raster.output.test_mosaic import *
parts = [BlockFile(Path({str(tmp_path)!r}) / f"block & {{n}}.tif", w) for n, w in enumerate(WINDOW.cells(250))]
for limit in (0, 3000, {whole} // 3, {whole} * 7 // 10, {whole} * 8 // 10, {whole} - 1000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        with Watched({str(path)!r}) as draft:
            write_mosaic(draft, parts, SHARES, GRID, WINDOW, (), {cloud})
            draft.commit()
        print("placed")
    except (FileError, RasterError) as error:
        print("refused:", error, "held:", draft.held)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": ""}
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 6 and all("refused:" in each and "map.tif cannot be written" in each for each in lines), lines
    assert all("held: []" in each for each in lines), lines
    assert [each.name for each in path.parent.iterdir()] == ["map.tif"] and path.read_text() == "old"
