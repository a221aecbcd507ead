"""Codes and names that travel with a class raster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.grid import Grid
from bdgf.bdgf_qgis.raster.output.metadata import class_type_and_nodata, codes_at, read_class_table
from bdgf.bdgf_qgis.raster.output.outputs import OutputRaster
from bdgf.model.shared.infos import ClassInfo
from bdgf.tests.raster.helpers import TRANSFORM, make_raster

CLASSES = (ClassInfo(0, "Straße", "#102030"), ClassInfo(300, "Dach, rot", "#ff0000"))


@pytest.mark.parametrize(
    ("codes", "kind", "nodata"),
    [
        ([1, 2, 3], "uint8", 0),
        ([0, 1, 2], "uint8", 255),
        ([0, 254, 255], "uint8", 253),
        ([1, 255], "uint8", 0),
        ([1, 256], "uint16", 0),
        (list(range(256)), "uint16", 65535),
        (list(range(1, 256)), "uint8", 0),
        ([0, 65535], "uint16", 65534),
        ([65535], "uint16", 0),
        (list(range(65536)), "uint32", 4294967295),
    ],
)
def test_the_smallest_type_with_a_free_value(codes: list[int], kind: str, nodata: int) -> None:
    assert class_type_and_nodata(codes) == (kind, nodata)
    assert nodata not in codes


def test_codes_beyond_all_types_are_refused() -> None:
    with pytest.raises(RasterError):
        class_type_and_nodata([2**32])


def test_positions_become_codes() -> None:
    positions = np.array([[0, 1], [65535, 2]], np.uint16)
    codes = codes_at(positions, [4, 0, 300], "uint16", 65535)
    assert codes.dtype == np.uint16 and codes.tolist() == [[4, 0], [65535, 300]]


@pytest.mark.parametrize("with_sidecar", [True, False])
def test_the_table_comes_back(tmp_path: Path, with_sidecar: bool) -> None:
    path = tmp_path / "map.tif"
    grid = Grid(4, 3, TRANSFORM, "")
    with OutputRaster(str(path), grid, grid.window, 1, "uint16", 65535, classes=CLASSES) as output:
        output.commit()
    dataset = gdal.Open(str(path))
    table = dataset.GetRasterBand(1).GetDefaultRAT()
    assert table.GetRowCount() == 2 and table.GetColOfUsage(gdal.GFU_Name) == 1
    if not with_sidecar:
        (tmp_path / "map.tif.aux.xml").unlink()
    assert read_class_table(gdal.Open(str(path))) == CLASSES


def test_tables_of_other_programs_are_understood(tmp_path: Path) -> None:
    source = make_raster(tmp_path / "map.tif", np.ones((3, 3), np.uint8))
    dataset = gdal.Open(source.path)
    table = gdal.RasterAttributeTable()
    for name, kind in (("COUNT", gdal.GFT_Real), ("VALUE", gdal.GFT_Integer), ("Class_Name", gdal.GFT_String)):
        table.CreateColumn(name, kind, gdal.GFU_Generic)
    for row, (code, name) in enumerate([(9, "lake"), (2, "")]):
        table.SetValueAsInt(row, 1, code)
        table.SetValueAsString(row, 2, name)
    dataset.GetRasterBand(1).SetDefaultRAT(table)
    found = read_class_table(dataset)
    assert [(each.code, each.name) for each in found] == [(2, "2"), (9, "lake")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[[1, "a\\u0000b\\ud800", "#ffffff"]]', (ClassInfo(1, "a b\ufffd", "#ffffff"),)),
        ('[[1, "a", "red;background:url(x)"]]', ()),
        ('[[true, "a", "#ffffff"]]', ()),
        ('[[-1, "a", "#ffffff"]]', ()),
        ("[" * 100_000, ()),
        ("3", ()),
    ],
    ids=["odd name", "no colour", "no code", "no such code", "nested", "no list"],
)
def test_what_another_hand_wrote_into_the_metadata(tmp_path: Path, text: str, found: tuple[ClassInfo, ...]) -> None:
    source = make_raster(tmp_path / "map.tif", np.ones((2, 2), np.uint8))
    dataset = gdal.Open(source.path, gdal.GA_Update)
    dataset.SetMetadataItem("BDGF_CLASSES", text)
    assert read_class_table(dataset) == found


def test_a_raster_without_a_table_has_none(tmp_path: Path) -> None:
    assert read_class_table(gdal.Open(make_raster(tmp_path / "a.tif", np.ones((3, 3), np.uint8)).path)) == ()
