"""Which pixels are suggested: chance by uncertainty, the root of the area, distances, and the blocks they come from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bdgf.bdgf_qgis.feedback import Feedback, RunCancelled
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.grid import Grid, Window
from bdgf.bdgf_qgis.raster.samples.candidates import CandidateDraw, ClassCandidates
from bdgf.bdgf_qgis.raster.samples.shapes import shapes_of
from bdgf.bdgf_qgis.raster.samples.suggestions import Suggestions, suggest
from bdgf.bdgf_qgis.raster.samples.uncertainty import UNKNOWN, UncertainBlock, UncertainMap
from bdgf.model.shared.infos import ClassInfo
from bdgf.tests.raster.helpers import TRANSFORM, UTM, box, make_raster, wkt

GRID = Grid(100, 100, TRANSFORM, wkt(UTM))  # pixels of 10 m


def block(codes: np.ndarray, uncertainty: np.ndarray, row: int = 0, column: int = 0) -> UncertainBlock:
    place = np.arange(codes.size)
    second = np.full(codes.size, UNKNOWN, np.int64)
    window = Window(row, column, *codes.shape)
    return UncertainBlock(window, place, codes.ravel().astype(np.int64), uncertainty.ravel(), second)


def drawn(
    codes: np.ndarray, uncertainty: np.ndarray, most: int = 1000, seed: int = 0, **options: float
) -> dict[int, ClassCandidates]:
    draw = CandidateDraw(most, seed, **options)
    draw.take(block(codes, uncertainty), np.ones(codes.size, bool))
    return draw.classes()


def places(found: Suggestions) -> np.ndarray:
    """Centres in metres from the corner of the grid."""
    return np.array([(point.column + 0.5, point.row + 0.5) for point in found.points]) * 10


def gaps(found: Suggestions) -> np.ndarray:
    across = np.hypot(*(places(found)[:, None] - places(found)[None]).transpose(2, 0, 1))
    return across[np.triu_indices(len(across), 1)]


def shares_drawn(power: float) -> list[float]:
    """How often a pixel of uncertainty 0.8, 0.4 and 0.2 is drawn first of an equal number of each."""
    uncertainty = np.tile(np.array([0.8, 0.4, 0.2], np.float32), (100, 34))[:, :100]
    codes = np.ones((100, 100), np.uint8)
    firsts = [drawn(codes, uncertainty, 1, seed, power=power)[1].candidates["uncertainty"][0] for seed in range(600)]
    return [float(np.mean(np.isclose(firsts, value))) for value in (0.8, 0.4, 0.2)]


@pytest.mark.parametrize("power, wanted", [(0.0, [1 / 3, 1 / 3, 1 / 3]), (1.0, [4 / 7, 2 / 7, 1 / 7])])
def test_the_chance_of_a_pixel_is_a_power_of_its_uncertainty(power: float, wanted: list[float]) -> None:
    assert shares_drawn(power) == pytest.approx(wanted, abs=0.07)  # three and a half deviations


def test_a_high_power_takes_the_most_uncertain_pixels_alone() -> None:
    uncertainty = np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)
    found = drawn(np.ones((100, 100), np.uint8), uncertainty, 50, power=1e6)[1].candidates["uncertainty"]
    assert sorted(found) == pytest.approx(uncertainty.ravel()[-50:])


def test_what_passes_in_blocks_is_the_draw_of_all_blocks() -> None:
    """The best keys of every block are kept, and no more than there is room for."""
    random = np.random.default_rng(1)
    draw, alone = CandidateDraw(40, 7), []
    for row in range(0, 500, 50):
        codes = random.integers(1, 4, (50, 60))
        codes[random.random(codes.shape) < 0.01] = 9
        one = block(codes, random.random(codes.shape).astype(np.float32), row)
        draw.take(one, one.codes != 2)
        single = CandidateDraw(10_000, 7)
        single.take(one, one.codes != 2)
        alone.append(single.classes())
    found = draw.classes()
    assert set(found) == {1, 3, 9}
    for code, kept in found.items():
        everything = np.concatenate([each[code].candidates for each in alone if code in each])
        assert kept.pixels == len(everything)
        assert len(kept.candidates) == min(40, kept.pixels)
        best = everything[np.argsort(-everything["key"])][:40]
        assert kept.candidates["key"].tolist() == best["key"].tolist()
        assert kept.candidates["row"].tolist() == best["row"].tolist()


def test_candidates_know_where_they_lie() -> None:
    codes = np.arange(12).reshape(3, 4)
    draw = CandidateDraw(5, 0)
    draw.take(block(codes, np.full((3, 4), 0.5, np.float32), 100, 200), np.ones(12, bool))
    for code, kept in draw.classes().items():
        assert (kept.candidates["row"][0], kept.candidates["column"][0]) == (100 + code // 4, 200 + code % 4)


def test_a_raster_of_measurements_is_no_class_map() -> None:
    with pytest.raises(RasterError, match="'dem' holds more than 1,000 different values"):
        draw = CandidateDraw(5, 0, name="dem")
        draw.take(block(np.arange(2500).reshape(50, 50), np.ones((50, 50), np.float32)), np.ones(2500, bool))


def test_classes_give_by_the_root_of_their_area_and_each_at_least_one() -> None:
    codes = np.full((100, 100), 1)
    codes[:, :36] = 2
    codes[0, 0] = 3
    found = suggest(drawn(codes, np.full(codes.shape, 0.5, np.float32)), 30, GRID)
    given = np.bincount([point.code for point in found.points], minlength=4)
    roots = np.sqrt([6400, 3599, 1])
    assert given[3] == 1 and len(found.points) == 30
    assert given[1:] == pytest.approx(30 * roots / roots.sum(), abs=1.01)
    assert [point.code for point in found.points[:3]] == [1, 2, 3], "every class first"


def test_points_spread_by_themselves_and_keep_a_distance_that_is_given() -> None:
    codes = np.ones((100, 100), np.uint8)
    uncertainty = np.full(codes.shape, 0.5, np.float32)
    found = suggest(drawn(codes, uncertainty), 30, GRID)
    assert len(found.points) == 30 and gaps(found).min() >= found.distance > 80, "of an even spread: 183 m"
    wide = suggest(drawn(codes, uncertainty), 30, GRID, 250.0)
    assert gaps(wide).min() >= 250 and 8 <= len(wide.points) < 30 and wide.crowded == (1,)
    close = suggest(drawn(codes, uncertainty), 30, GRID, 0.0)
    assert len(set(map(tuple, places(close)))) == 30


def test_a_small_class_shortens_its_own_distance() -> None:
    codes = np.ones((100, 100), np.uint8)
    codes[50:54, 50:54] = 2
    found = suggest(drawn(codes, np.full(codes.shape, 0.5, np.float32)), 40, GRID)
    assert sum(point.code == 2 for point in found.points) >= 2 and found.crowded == ()
    large = Suggestions(tuple(point for point in found.points if point.code == 1), (), 0.0)
    assert gaps(large).min() > 60


def test_a_class_that_has_no_more_pixels_leaves_its_share_to_others() -> None:
    codes = np.ones((100, 100), np.uint8)
    codes[10, 10:12] = 2
    found = suggest(drawn(codes, np.full(codes.shape, 0.5, np.float32)), 200, GRID)
    assert len(found.points) == 200 and sum(point.code == 2 for point in found.points) == 2


def test_points_keep_away_from_polygons() -> None:
    codes = np.ones((100, 100), np.uint8)
    shapes = shapes_of([box(1, 1, 30, 30, 40, 40), box(2, 1, 0, 90, 3, 3)], wkt(UTM), GRID).shapes
    found = suggest(drawn(codes, np.full(codes.shape, 0.5, np.float32), 5000), 30, GRID, 100.0, shapes)
    x, y = places(found).T
    outside = np.hypot(np.maximum(0, np.maximum(300 - x, x - 700)), np.maximum(0, np.maximum(300 - y, y - 700)))
    on_edge = np.minimum.reduce([abs(x - 300), abs(x - 700), abs(y - 300), abs(y - 700)])
    assert (np.where(outside > 0, outside, on_edge) >= 100).all(), "from the outline on both sides"


def test_the_same_seed_gives_the_same_points() -> None:
    codes = np.ones((100, 100), np.uint8)
    uncertainty = np.random.default_rng(0).random(codes.shape).astype(np.float32)
    first, again, other = (suggest(drawn(codes, uncertainty, seed=seed), 10, GRID).points for seed in (0, 0, 1))
    assert first == again != other


def test_cancel() -> None:
    class Cancelled(Feedback):
        def is_cancelled(self) -> bool:
            return True

    with pytest.raises(RunCancelled):
        suggest(drawn(np.ones((9, 9), np.uint8), np.ones((9, 9), np.float32)), 5, GRID, feedback=Cancelled())


def test_margin_and_second_class_come_from_the_probabilities(tmp_path: Path) -> None:
    shares = np.array([[[0.5, 0.3, 0.1]], [[0.3, 0.1, 0.6]], [[0.2, 0.6, 0.3]]], np.float32)
    codes = np.array([[4, 9, 4]], np.uint8)  # the last pixel has another class than the likeliest one
    classes = make_raster(tmp_path / "map.tif", codes, nodata=0)
    table = tuple(ClassInfo(code, name, "#808080") for code, name in ((4, "water"), (7, "wood"), (9, "meadow")))
    named = replace(classes, classes=table)
    probabilities = make_raster(tmp_path / "shares.tif", shares, names=["water", "wood", "meadow"])
    pixels = UncertainMap(named, None, probabilities)
    found = pixels.read(Window(0, 0, 1, 3))
    assert found.uncertainty == pytest.approx([0.8, 0.7, 0.7])
    assert found.second.tolist() == [7, 4, 7] and found.codes.tolist() == [4, 9, 4]
    turned = make_raster(tmp_path / "turned.tif", shares[::-1], names=["meadow", "wood", "water"])
    assert UncertainMap(named, None, turned).read(Window(0, 0, 1, 3)).second.tolist() == [7, 4, 7], "met by name"
    strange = UncertainMap(classes, None, probabilities).read(Window(0, 0, 1, 3))
    assert strange.second.tolist() == [UNKNOWN] * 3 and strange.uncertainty == pytest.approx([0.8, 0.7, 0.7])


def test_pixels_without_class_or_confidence_are_left_out(tmp_path: Path) -> None:
    codes = np.array([[1, 0, 1], [2, 2, 0]], np.uint8)
    sure = np.array([[0.9, 0.5, np.nan], [0.25, -1, -1]], np.float32)
    pixels = UncertainMap(
        make_raster(tmp_path / "map.tif", codes, nodata=0), make_raster(tmp_path / "sure.tif", sure, nodata=-1)
    )
    found = pixels.read(Window(0, 0, 2, 3))
    assert found.place.tolist() == [0, 3] and found.uncertainty == pytest.approx([0.1, 0.75])


def test_rasters_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    ones = np.ones((4, 4), np.float32)
    classes = make_raster(tmp_path / "map.tif", ones.astype(np.uint8))
    moved = make_raster(tmp_path / "moved.tif", ones, (TRANSFORM[0] + 10, *TRANSFORM[1:]))
    with pytest.raises(RasterError, match="'moved' and 'map' lie on different grids"):
        UncertainMap(classes, moved)
    with pytest.raises(RasterError, match="'three' has 3 bands, and a confidence has one"):
        UncertainMap(classes, make_raster(tmp_path / "three.tif", np.stack([ones] * 3)))
    with pytest.raises(RasterError, match="'one' has one band, and probabilities"):
        UncertainMap(classes, None, make_raster(tmp_path / "one.tif", ones))
    with pytest.raises(RasterError, match="'height' holds 300, and how sure"):
        UncertainMap(classes, make_raster(tmp_path / "height.tif", ones * 300)).read(Window(0, 0, 4, 4))
    with pytest.raises(RasterError, match=r"'slope' holds fractions such as 0\.5"):
        sure = make_raster(tmp_path / "sure.tif", ones)
        UncertainMap(make_raster(tmp_path / "slope.tif", ones / 2), sure).read(Window(0, 0, 4, 4))
