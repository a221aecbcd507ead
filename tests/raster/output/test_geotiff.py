"""A GeoTIFF that was cut short is told, whatever GDAL reports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.files.atomic_file import AtomicFile
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.grid import Grid
from bdgf.bdgf_qgis.raster.output.geotiff import require_whole
from bdgf.bdgf_qgis.raster.output.mosaic import write_mosaic
from bdgf.bdgf_qgis.raster.output.outputs import OutputRaster
from bdgf.tests.raster.helpers import TRANSFORM, UTM, wkt
from bdgf.tests.raster.output.test_mosaic import CODES, GRID, SHARES, SURE, WINDOW, parts_of, values


def tiles(path: Path) -> list[tuple[int, int, int, int]]:
    """Band, level, place and bytes of the last tile of each band and level, as GDAL tells them."""
    dataset, found = gdal.Open(str(path)), []
    for number in range(1, dataset.RasterCount + 1):
        band = dataset.GetRasterBand(number)
        for level in range(-1, band.GetOverviewCount()):
            one = band if level < 0 else band.GetOverview(level)
            place = f"{(one.XSize - 1) // 256}_{(one.YSize - 1) // 256}"
            start, size = (int(one.GetMetadataItem(f"BLOCK_{what}_{place}", "TIFF")) for what in ("OFFSET", "SIZE"))
            found.append((number, level, start, size))
    return found


@pytest.mark.parametrize("cloud", [False, True])
@pytest.mark.parametrize("content", [CODES, SHARES, SURE], ids=["codes", "shares", "sure"])
def test_every_cut_is_seen(tmp_path: Path, content: Any, cloud: bool) -> None:
    path = tmp_path / "map.tif"
    with AtomicFile(path) as draft:
        write_mosaic(draft, parts_of(values(content), content, tmp_path), content, GRID, WINDOW, (), cloud)
        draft.commit()
    whole = path.read_bytes()
    require_whole(path, "no")
    ends = [start + size for _, _, start, size in tiles(path)]
    last = len(whole) - (5 if cloud else 1)  # a COG repeats four bytes behind each tile
    for length in {0, 3, 9, 100, len(whole) // 2, last, *(end - cut for end in ends for cut in (1, 40))}:
        path.write_bytes(whole[:length])
        with pytest.raises(RasterError, match=r"^that one.*(not written whole|cannot be read back)"):
            require_whole(path, "that one")


@pytest.mark.parametrize("options", ["", "BIGTIFF=YES", "ENDIANNESS=BIG", "BIGTIFF=YES ENDIANNESS=BIG", "TILED=YES"])
def test_all_forms_of_tiff_are_read(tmp_path: Path, options: str) -> None:
    path = tmp_path / "map.tif"
    array = np.random.default_rng(0).integers(0, 255, (600, 500)).astype(np.uint8)
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), 500, 600, 1, gdal.GDT_Byte, options.split())
    dataset.WriteArray(array)
    del dataset
    require_whole(path, "no")
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    with pytest.raises(RasterError, match="not written whole"):
        require_whole(path, "that one")


@pytest.mark.parametrize("what", ["zeros", "noise"])
def test_a_last_tile_of_other_bytes_is_seen(tmp_path: Path, what: str) -> None:
    """A disk may give a file its length and not its content."""
    path = tmp_path / "map.tif"
    with AtomicFile(path) as draft:
        write_mosaic(draft, parts_of(values(SHARES), SHARES, tmp_path), SHARES, GRID, WINDOW)
        draft.commit()
    whole = path.read_bytes()
    for number, level, start, size in tiles(path):
        fill = bytes(size) if what == "zeros" else np.random.default_rng(level + number).bytes(size)
        path.write_bytes(whole[:start] + fill + whole[start + size :])
        with pytest.raises(RasterError, match="cannot be read back"):
            require_whole(path, "that one")


def test_what_is_no_tiff_is_told(tmp_path: Path) -> None:
    for content in (b"", b"II", b"II*\0\xff\xff\xff\xff", b"II+\0" + b"\xff" * 12, b"PNG and so on and on and on"):
        (tmp_path / "map.tif").write_bytes(content)
        with pytest.raises(RasterError, match="that one"):
            require_whole(tmp_path / "map.tif", "that one")


def test_a_raster_that_gdal_says_is_written_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GDAL is not heard: the file is cut when it is closed, as on a full disk with GDAL 3.10."""
    from bdgf.bdgf_qgis.raster.output import mosaic, outputs

    for module in (mosaic, outputs):

        def cutting(file: Path, what: str) -> None:
            with open(file, "r+b") as opened:
                opened.truncate(file.stat().st_size - 10)
            require_whole(file, what)

        monkeypatch.setattr(module, "require_whole", cutting)
    grid = Grid(600, 600, TRANSFORM, wkt(UTM))
    (tmp_path / "map.tif").write_text("old")
    with (
        pytest.raises(RasterError, match=r"map\.tif cannot be written.*not written whole"),
        OutputRaster(str(tmp_path / "map.tif"), grid, grid.window, 1, "uint8", 0) as output,
    ):
        output.write(grid.window, np.random.default_rng(0).integers(0, 255, (600, 600)).astype(np.uint8))
        output.commit()
    with pytest.raises(RasterError, match="not written whole"):
        parts_of(values(CODES), CODES, tmp_path)
    assert [each.name for each in tmp_path.iterdir() if "block" not in each.name] == ["map.tif"]
    assert (tmp_path / "map.tif").read_text() == "old"


@pytest.mark.parametrize("cloud", [False, True])
def test_no_size_of_disk_places_half_a_map(tmp_path: Path, cloud: bool) -> None:
    """Limits from one tile below the whole file on, at which only the last tiles do not fit."""
    parts_of(values(SHARES), SHARES, tmp_path)
    code = f"""
import os, resource
from pathlib import Path
from bdgf.bdgf_qgis.files.errors import FileError
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.tests.raster.output.test_mosaic import *
parts = [BlockFile(Path({str(tmp_path)!r}) / f"block & {{n}}.tif", w) for n, w in enumerate(WINDOW.cells(250))]
path, whole = Path({str(tmp_path / "map.tif")!r}), None
for less in (0, 1, 500, 2000, 8000, 20_000, 40_000, 80_000, 120_000):
    limit = whole - less if whole else resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        with AtomicFile(path) as draft:
            write_mosaic(draft, parts, SHARES, GRID, WINDOW, (), {cloud})
            draft.commit()
        print("placed", path.stat().st_size, limit)
        whole = whole or path.stat().st_size
        path.unlink()
    except (FileError, RasterError) as error:
        print("refused", less)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    said = result.stdout.splitlines()
    assert len(said) == 9 and said[0].startswith("placed"), said
    assert all(each.startswith("refused") for each in said[1:]), said
