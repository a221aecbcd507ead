"""Output rasters: whole or not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.files.atomic_file import commit_together
from bdgf.bdgf_qgis.files.errors import FileError
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.grid import Grid, Window
from bdgf.bdgf_qgis.raster.output.outputs import OutputRaster
from bdgf.model.shared.infos import ClassInfo
from bdgf.tests.raster.helpers import TRANSFORM, UTM, wkt

GRID = Grid(300, 200, TRANSFORM, wkt(UTM))
CLASSES = (ClassInfo(1, "Wald", "#00ff00"), ClassInfo(7, "See", "#0000ff"))


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def class_output(path: Path) -> OutputRaster:
    return OutputRaster(str(path), GRID, GRID.window, 1, "uint8", 0, classes=CLASSES)


def test_a_part_of_the_grid_is_written_block_by_block(tmp_path: Path) -> None:
    window = Window(20, 30, 150, 260)
    wanted = np.full((2, 150, 260), np.nan, np.float32)
    with OutputRaster(
        str(tmp_path / "out.tif"), GRID, window, 2, "float32", float("nan"), ["first", "zweite ü"], scale=0.5
    ) as output:
        for number, cell in enumerate(window.cells(48)):
            if number % 3:
                values = np.random.default_rng(number).normal(size=(2, cell.height, cell.width)).astype(np.float32)
                output.write(cell, values)
                wanted[(slice(None), *cell.slices_in(window))] = values
        output.commit()
    dataset = gdal.Open(str(tmp_path / "out.tif"))
    assert np.array_equal(dataset.ReadAsArray(), wanted, equal_nan=True)
    assert dataset.GetGeoTransform() == (400_300.0, 10.0, 0.0, 5_799_800.0, 0.0, -10.0)
    assert "33N" in dataset.GetProjection()
    bands = [dataset.GetRasterBand(number) for number in (1, 2)]
    assert [each.GetDescription() for each in bands] == ["first", "zweite ü"]
    assert all(np.isnan(each.GetNoDataValue()) and each.GetScale() == 0.5 for each in bands)
    assert dataset.GetRasterBand(1).GetBlockSize() == [256, 256]
    assert dataset.GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE") == "DEFLATE"


def test_while_it_is_written_it_lies_beside_its_place_with_its_suffix(tmp_path: Path) -> None:
    with class_output(tmp_path / "map.tif") as output:
        output.write(Window(0, 0, 9, 9), np.ones((9, 9), np.uint8))
        output.write_sidecar(".qml", "<qgis/>")
        assert all(each.startswith(".bdgf-") for each in names(tmp_path))
        assert {Path(each).suffix for each in names(tmp_path)} == {".tif", ".qml", ".lock"}
        output.commit()
        assert names(tmp_path) == {"map.tif", "map.qml", "map.tif.aux.xml"}
    assert names(tmp_path) == {"map.tif", "map.qml", "map.tif.aux.xml"}
    assert (tmp_path / "map.qml").read_text() == "<qgis/>"
    assert gdal.Open(str(tmp_path / "map.tif")).ReadAsArray().sum() == 81


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt, None])
def test_nothing_is_left_without_commit(tmp_path: Path, stop: type[BaseException] | None) -> None:
    folder = tmp_path / "new" / "folder"
    try:
        with class_output(folder / "map.tif") as output:
            output.write(Window(0, 0, 200, 300), np.ones((200, 300), np.uint8))
            output.write_sidecar(".qml", "<qgis/>")
            output.close()
            if stop is not None:
                raise stop
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert names(tmp_path) == set()


def test_the_raster_comes_last_and_rights_are_the_usual_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    replace = os.replace

    def watched(source: object, target: object) -> None:
        if not Path(str(target)).name.startswith("."):
            order.append(Path(str(target)).name)
        replace(str(source), str(target))

    monkeypatch.setattr(os, "replace", watched)
    outputs = [class_output(tmp_path / "map.tif"), class_output(tmp_path / "other.tif")]
    for each in outputs:
        each.write_sidecar(".qml", "<qgis/>")
    commit_together(outputs)
    assert sorted(order[:4]) == ["map.qml", "map.tif.aux.xml", "other.qml", "other.tif.aux.xml"]
    assert order[4:] == ["other.tif", "map.tif"]
    plain = tmp_path / "plain"
    plain.write_text("")
    assert (tmp_path / "map.tif").stat().st_mode == plain.stat().st_mode


def test_an_older_result_is_replaced_with_what_gdal_kept_beside_it(tmp_path: Path) -> None:
    for name in ("map.tif", "map.tif.aux.xml", "map.tif.ovr", "map.qml"):
        (tmp_path / name).write_text("old")
    with OutputRaster(str(tmp_path / "map.tif"), GRID, GRID.window, 1, "uint8", 0) as output:
        output.commit()
    assert names(tmp_path) == {"map.tif", "map.qml"}
    assert gdal.Open(str(tmp_path / "map.tif")).RasterXSize == 300


@pytest.mark.parametrize("broken", ["map.tif", "other.tif", "map.qml"])
def test_where_one_cannot_be_placed_all_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    for name in ("map.tif", "map.qml"):
        (tmp_path / name).write_text("old " + name)
    outputs = [class_output(tmp_path / "map.tif"), class_output(tmp_path / "other.tif")]
    outputs[0].write_sidecar(".qml", "new")
    replace = os.replace

    def locked(source: object, target: object) -> None:
        if Path(str(target)).name == broken and "-old" not in Path(str(source)).name:
            raise PermissionError(13, "Permission denied")
        replace(str(source), str(target))

    monkeypatch.setattr(os, "replace", locked)
    with pytest.raises(FileError, match=rf"{broken}.*Permission denied"):
        commit_together(outputs)
    assert names(tmp_path) == {"map.tif", "map.qml"}
    assert (tmp_path / "map.tif").read_text() == "old map.tif" and (tmp_path / "map.qml").read_text() == "old map.qml"


def test_a_place_below_a_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        class_output(tmp_path / "file" / "deeper" / "map.tif")
    assert names(tmp_path) == {"file"}


def test_a_folder_of_that_name_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "map.tif").mkdir()
    with pytest.raises(FileError, match="a folder of that name"):
        class_output(tmp_path / "map.tif")
    assert names(tmp_path) == {"map.tif"}


@pytest.mark.parametrize("name", ["map.img", "map", "map.gpkg"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RasterError, match=r"ends in \.tif"):
        class_output(tmp_path / name)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("exceptions", [False, True])
@pytest.mark.parametrize("limit", [0, 100, 3000, 60_000, 100_000, 150_000])
def test_a_full_disk_leaves_nothing(tmp_path: Path, limit: int, exceptions: bool) -> None:
    """At every stage: creating, writing, closing."""
    (tmp_path / "map.tif").write_text("old")
    code = f"""
import resource
import numpy as np
from osgeo import gdal
from bdgf.bdgf_qgis.files.atomic_file import commit_together
from bdgf.bdgf_qgis.files.errors import FileError
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.tests.raster.output.test_outputs import GRID, OutputRaster
from bdgf.bdgf_qgis.raster.grid import Window
gdal.SetCacheMax(70_000)
if {exceptions}:
    gdal.UseExceptions()
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    with OutputRaster({str(tmp_path / "map.tif")!r}, GRID, GRID.window, 4, "uint8", 0) as output:
        for row in range(0, 200, 50):
            values = np.random.default_rng(row).integers(0, 255, (4, 50, 300)).astype(np.uint8)
            output.write(Window(row, 0, 50, 300), values)
        output.commit()
    print("placed")
except (FileError, RasterError) as error:
    print("refused:", error)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("refused:") and "map.tif cannot be written" in result.stdout, result.stdout
    assert result.stdout.count("\n") == 1
    assert names(tmp_path) == {"map.tif"} and (tmp_path / "map.tif").read_text() == "old"
