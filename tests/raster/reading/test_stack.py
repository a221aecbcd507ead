"""Several rasters on one grid that share its pixels."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.grid import Window
from bdgf.bdgf_qgis.raster.reading.raster import describe
from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack, open_stack
from bdgf.tests.engine.helpers import Recorder
from bdgf.tests.raster.helpers import TRANSFORM, make_raster


def moved(column: float, row: float, size: float = 10.0) -> tuple[float, ...]:
    """The transform of a raster that begins at a pixel of the usual grid."""
    return (TRANSFORM[0] + 10 * column, size, 0.0, TRANSFORM[3] - 10 * row, 0.0, -size)


Parts = tuple[ModalityStack, np.ndarray, np.ndarray]


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """Optical (2, 40, 50) with nodata 0, and a height model (1, 30, 60) that begins 12 rows down, 7 columns left."""
    random = np.random.default_rng(5)
    optical = random.integers(0, 20, (2, 40, 50)).astype(np.uint8)
    height = random.normal(100, 5, (1, 30, 60)).astype(np.float32)
    height[0, 3, :20] = np.nan
    sources = [
        make_raster(tmp_path / "optical.tif", optical, nodata=0, names=["red", "nir"]),
        make_raster(tmp_path / "height.tif", height, moved(-7, 12)),
    ]
    return open_stack(sources), optical, height


def expected(optical: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What reading rows -20 to 60 and columns -20 to 80 must give."""
    first, second = np.zeros((2, 80, 100), np.uint8), np.full((1, 80, 100), np.nan, np.float32)
    first[:, 20:60, 20:70] = optical
    second[:, 32:62, 13:73] = height
    valid = (first != 0).all(axis=0) & np.isfinite(second[0])
    return np.where(valid, first, 0), np.where(valid, second, 0), valid


def test_windows_anywhere_give_the_pixels_of_the_whole(parts: Parts) -> None:
    stack, optical, height = parts
    first, second, valid = expected(optical, height)
    assert stack.overlap == Window(12, 0, 28, 50)
    assert [each.warped for each in stack.modalities] == [False, False]
    random = np.random.default_rng(6)
    for _ in range(60):
        row, column = random.integers(-20, 50, 2)
        window = Window(int(row), int(column), int(random.integers(1, 60 - row)), int(random.integers(1, 80 - column)))
        arrays, inside = stack.read(window)
        rows, columns = window.slices_in(Window(-20, -20, 0, 0))
        assert (inside == valid[rows, columns]).all() and (stack.read_valid(window) == inside).all()
        assert (arrays[0] == first[:, rows, columns]).all() and (arrays[1] == second[:, rows, columns]).all()
        assert [each.dtype for each in arrays] == [np.uint8, np.float32]


def test_the_grid_may_come_from_another_raster(tmp_path: Path, parts: Parts) -> None:
    stack, *_ = parts
    sources = [each.raster for each in stack.modalities]
    with open_stack(sources, sources[1]) as other:
        assert other.reference.name == "height" and (other.grid.height, other.grid.width) == (30, 60)
        arrays, valid = other.read(other.grid.window)
        wanted, inside = stack.read(Window(12, -7, 30, 60))
        assert (valid == inside).all() and all((a == b).all() for a, b in zip(arrays, wanted, strict=True))


def test_each_thread_reads_with_a_stack_of_its_own(parts: Parts) -> None:
    stack, *_ = parts
    wanted = stack.read(stack.grid.window)
    failures: list[object] = []

    def read(number: int) -> None:
        try:
            with stack.reopen() as own:
                for row in list(range(40)) * 5:
                    arrays, valid = own.read(Window((row + number) % 40, 0, 1, 50))
                    place = slice((row + number) % 40, (row + number) % 40 + 1)
                    assert (valid == wanted[1][place]).all()
                    assert all((a == b[:, place]).all() for a, b in zip(arrays, wanted[0], strict=True))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failures


def test_what_messages_and_models_are_told(parts: Parts) -> None:
    stack, *_ = parts
    assert [(each.name, each.bands, each.dtype) for each in stack.info()] == [
        ("optical", ("red", "nir"), "uint8"),
        ("height", ("Band 1",), "float32"),
    ]
    scene = stack.scene_info()
    assert scene.shape == (40, 50) and scene.pixel_size == (10.0, 10.0) and "33N" in scene.crs
    assert stack.pixel_bytes == 2 + 4 + 1


def test_bands_without_a_valid_pixel_are_dropped_and_listed(tmp_path: Path) -> None:
    array = np.ones((4, 300, 320), np.int16)
    array[1] = array[3] = -1
    array[3, 299, 319] = 7  # a single pixel, off every sampled patch
    source = make_raster(tmp_path / "a.tif", array, nodata=-1, names=["b1", "b2", "b3", "b4"])
    with open_stack([source]) as stack:
        modality = stack.modalities[0]
        assert modality.bands == (1, 3, 4) and modality.band_names == ("b1", "b3", "b4")
        assert any("'a'" in each and "b2" in each for each in stack.warnings)
        arrays, valid = stack.read(Window(298, 318, 2, 2))
        assert valid.sum() == 1 and arrays[0][:, 1, 1].tolist() == [1, 1, 7]


def test_a_band_counts_only_where_the_rasters_overlap(tmp_path: Path) -> None:
    array = np.ones((2, 20, 20), np.uint8)
    array[1, :, :10] = 0
    sources = [
        make_raster(tmp_path / "left.tif", np.ones((20, 10), np.uint8)),
        make_raster(tmp_path / "both.tif", array, nodata=0),
    ]
    with open_stack(sources) as stack:
        assert stack.modalities[1].band_names == ("Band 1",)
        assert stack.warnings == ("Bands of 'both' without a valid pixel are left out: Band 2.",)


def test_a_raster_of_nodata_alone_is_refused_by_name(tmp_path: Path) -> None:
    source = make_raster(tmp_path / "empty.tif", np.zeros((2, 9, 9), np.uint8), nodata=0)
    with pytest.raises(RasterError, match="'empty' has no valid pixel"):
        open_stack([source])


def test_the_bands_asked_for_are_kept_in_their_order(tmp_path: Path) -> None:
    array = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 6, 6), np.uint8)
    source = make_raster(tmp_path / "a.tif", array, nodata=0, names=["blue", "green", "red"])
    with open_stack([source], keep=[["red", "green"]]) as stack:
        assert stack.modalities[0].bands == (3, 2)
        arrays, valid = stack.read(stack.grid.window)
        assert arrays[0][:, 0, 0].tolist() == [2, 1] and valid.all()
    with open_stack([source], keep=[["red", "blue"]]) as stack:
        assert not stack.read(stack.grid.window)[1].any(), "a band that is asked for is never dropped"
    with pytest.raises(RasterError, match=r"'a' lacks bands.*nir"):
        open_stack([source], keep=[["red", "nir"]])


def test_rasters_without_a_crs_go_together_with_a_warning(tmp_path: Path) -> None:
    array = np.ones((5, 5), np.uint8)
    bare = [make_raster(tmp_path / f"{name}.tif", array, epsg=None) for name in ("a", "b")]
    with open_stack(bare) as stack:
        assert any("coordinate reference system" in each for each in stack.warnings) and stack.grid.wkt == ""
    with pytest.raises(RasterError, match="'a' without a coordinate reference system"):
        open_stack([bare[0], make_raster(tmp_path / "c.tif", array)])
    with pytest.raises(RasterError, match="'a', 'b' without"):
        open_stack(bare, make_raster(tmp_path / "c.tif", array))


@pytest.mark.parametrize("epsg", [32633, 4326])
def test_rasters_apart_are_refused_by_name(tmp_path: Path, epsg: int) -> None:
    array = np.ones((5, 5), np.uint8)
    place = moved(5, 0) if epsg == 32633 else (-60.0, 0.001, 0.0, 10.0, 0.0, -0.001)
    sources = [make_raster(tmp_path / "here.tif", array), make_raster(tmp_path / "there.tif", array, place, epsg)]
    with pytest.raises(RasterError, match="'there' does not overlap with 'here'"):
        open_stack(sources)


def test_bands_of_several_types_meet_in_one(tmp_path: Path) -> None:
    first = make_raster(tmp_path / "one.tif", np.full((4, 4), 200, np.uint8))
    second = make_raster(tmp_path / "two.tif", np.full((4, 4), -300, np.int16))
    path = tmp_path / "both.vrt"
    gdal.BuildVRT(str(path), [first.path, second.path], separate=True).FlushCache()
    with open_stack([describe(str(path), "both")]) as stack:
        arrays, _ = stack.read(stack.grid.window)
        assert arrays[0].dtype == np.int16 and arrays[0][:, 0, 0].tolist() == [200, -300]


def test_south_up_rasters_are_turned(tmp_path: Path) -> None:
    array = np.arange(30, dtype=np.int16).reshape(5, 6)
    array[1, 2] = -1
    up = make_raster(tmp_path / "up.tif", array[::-1], (TRANSFORM[0], 10.0, 0, TRANSFORM[3] - 50, 0, 10.0), nodata=-1)
    plain = make_raster(tmp_path / "plain.tif", array, nodata=-1)
    for sources in ([up, plain], [plain, up]):
        with open_stack(sources) as stack:
            arrays, valid = stack.read(Window(1, 1, 3, 4))
            assert (arrays[0] == arrays[1]).all() and (valid == (array[1:4, 1:5] != -1)).all()
            assert (arrays[0][0] == np.where(valid, array[1:4, 1:5], 0)).all()


@pytest.mark.parametrize("layout", ["PIXEL", "BAND"])
def test_five_hundred_bands(tmp_path: Path, layout: str, capfd: pytest.CaptureFixture) -> None:
    random = np.random.default_rng(8)
    array = random.integers(-100, 4000, (500, 70, 90)).astype(np.int16)
    array[250] = -32768
    source = make_raster(
        tmp_path / "cube.tif", array, nodata=-32768, options=["TILED=YES", "COMPRESS=DEFLATE", f"INTERLEAVE={layout}"]
    )
    with open_stack([source]) as stack:
        arrays, valid = stack.read(Window(5, 6, 60, 70))
        kept = np.delete(array, 250, axis=0)
        assert valid.all() and (arrays[0] == kept[:, 5:65, 6:76]).all()
        assert len(stack.modalities[0].bands) == 499
        assert stack.warnings == ("Bands of 'cube' without a valid pixel are left out: Band 251.",)
    assert capfd.readouterr().err == ""


def test_a_file_that_breaks_off_is_reported_by_name(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 255, (300, 300)).astype(np.uint8)
    source = make_raster(tmp_path / "cut.tif", array, options=["TILED=YES", "COMPRESS=DEFLATE"])
    path = Path(source.path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(RasterError, match="'cut' cannot be read"):
        with open_stack([source]) as stack:
            stack.read(stack.grid.window)


def test_a_search_for_pixels_of_a_continent_begins_at_once(tmp_path: Path) -> None:
    """A band without a pixel where it was looked at first is looked through piece by piece."""
    make_raster(tmp_path / "small.tif", np.zeros((4, 4), np.uint8), nodata=0)
    text = gdal.Translate("", str(tmp_path / "small.tif"), format="VRT").GetMetadata("xml:VRT")[0]
    size = 'rasterXSize="4" rasterYSize="4"'
    assert size in text
    (tmp_path / "large.vrt").write_text(text.replace(size, 'rasterXSize="40000000" rasterYSize="20000000"', 1))
    looks = iter((False, False, True))
    with pytest.raises(RunCancelled):
        open_stack([describe(str(tmp_path / "large.vrt"), "large")], feedback=Recorder(lambda recorder: next(looks)))
