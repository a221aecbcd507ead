"""Samples of labelled pixels: bounded, spread over classes and polygons, and the same whatever comes first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples import label_sample
from bdgf.bdgf_qgis.raster.samples.label_sample import PixelSample, level
from bdgf.bdgf_qgis.raster.samples.labels import Labels, rasterise_labels
from bdgf.bdgf_qgis.raster.samples.tiles import copy_tiles, used_labels
from bdgf.tests.raster.helpers import UTM, box, make_raster, wkt

SIDE = 640


@pytest.mark.parametrize(
    ("counts", "most", "wanted"),
    [([5, 9, 2], 100, 9), ([5, 9, 2], 16, 9), ([5, 9, 2], 15, 8), ([5, 9, 2], 8, 3), ([7, 7], 5, 2), ([4, 4, 4], 2, 1)],
)
def test_counts_are_cut_to_a_level(counts: list[int], most: int, wanted: int) -> None:
    assert level(np.array(counts), most) == wanted


def parts(seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cells of a lattice, each with pixels of two units: of class 0 a large and a small one, of class 1 one."""
    cells = []
    for row in range(0, 256, 64):
        for column in range(0, 256, 64):
            rows, columns = (each.ravel() for each in np.mgrid[row : row + 64, column : column + 64])
            units = np.where(columns < 200, 0, np.where(rows < 30, 1, 2))
            points = np.stack([rows, columns, units // 2, units], axis=1).astype(np.int32)
            cells.append((points, units))
    np.random.default_rng(seed).shuffle(cells)
    return cells


def taken(most: int, seed: int = 0, order: int = 0, square: int = 16) -> np.ndarray:
    sample = PixelSample(np.array([0, 0, 1]), most, square, seed)
    for points, units in parts(order):
        sample.add(points, units)
    return sample.points()


def test_all_pixels_are_kept_where_there_is_room() -> None:
    assert len(taken(256 * 256)) == 256 * 256


def test_the_order_of_the_parts_does_not_matter_and_the_seed_does() -> None:
    first = taken(3000)
    assert (first == taken(3000, order=5)).all() and (first[:, :2] != taken(3000, seed=1)[:, :2]).any()
    assert (np.lexsort((first[:, 1], first[:, 0])) == np.arange(len(first))).all()
    assert len({tuple(each) for each in first[:, :2].tolist()}) == len(first)


def test_classes_and_polygons_share_the_room_and_the_small_are_kept_whole() -> None:
    units = np.bincount(taken(6000)[:, 3])
    assert units.tolist() == [1500, 1500, 3000], "half for each class, half of that for each of its polygons"
    units = np.bincount(taken(20_000)[:, 3])
    assert units[1] == 30 * 56 and abs(units[2] - 10_000) <= 1 and abs(units[:2].sum() - 10_000) <= 1


def test_pixels_to_learn_from_lie_in_whole_squares_and_others_singly() -> None:
    def neighbours(points: np.ndarray) -> float:
        places = {tuple(each) for each in points[:, :2].tolist()}
        return float(np.mean([(row, column + 1) in places for row, column in places]))

    assert neighbours(taken(3000)) > 0.8 and neighbours(taken(3000, square=1)) < 0.5


@pytest.fixture
def sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Labels, Path]:
    """Many polygons, and few of class 3, of whose pixels a sample is taken."""
    monkeypatch.setattr(label_sample, "MOST_TRAINING", 6000)
    monkeypatch.setattr(label_sample, "MOST_HELD_OUT", 2000)
    source = make_raster(tmp_path / "scene.tif", np.ones((SIDE, SIDE), np.uint8))
    cells = [(row, column) for row in range(0, SIDE, 32) for column in range(0, SIDE, 32)]
    polygons = [
        box(n, 3 if n in (5, 100, 300, 350) else 1 + (n % 7 < 2), column, row, 28, 28)
        for n, (row, column) in enumerate(cells)
    ]
    with open_stack([source]) as stack:
        labels = rasterise_labels(stack, polygons, wkt(UTM), "class_id", 0.3)
        files = copy_tiles(stack, labels, tmp_path)
        labelled, index = np.load(str(files.labelled)), np.load(files.index)
        assert len(index) == (SIDE // 64) ** 2 and labelled.sum() == len(polygons) * 28**2
        assert files.drawn == tuple(each.training_pixels for each in labels.counts)
        assert (np.load(str(files.training)) == labels.training).all()
    return used_labels(labels, files), tmp_path


def test_labels_of_millions_are_a_sample_and_counts_say_both(sampled: tuple[Labels, Path]) -> None:
    labels, _ = sampled
    assert len(labels.training) <= 6000 and len(labels.held_out) == 2000
    drawn = labels.drawn
    assert sum(drawn) == (SIDE // 32) ** 2 * 28**2
    assert labels.sampled[0].startswith(f"{drawn[0]:,} labelled pixels; training uses {len(labels.training):,} of them")
    assert labels.sampled[1].startswith(f"{drawn[1]:,} held-out pixels") and labels.sampled[1] in labels.coverage
    used = np.bincount(labels.training[:, 2])
    assert [each.training_used for each in labels.counts] == used.tolist() and abs(used - 2000).max() < 100, (
        "each class alike"
    )
    shares = np.bincount(labels.held_out[:, 2], minlength=3) / 2000
    wanted = np.array([each.held_out_pixels for each in labels.counts]) / drawn[1]
    assert np.abs(shares - wanted).max() < 0.05, "the figures come from a sample in proportion"


def test_few_labels_say_nothing_of_samples(tmp_path: Path) -> None:
    source = make_raster(tmp_path / "scene.tif", np.ones((100, 100), np.uint8))
    with open_stack([source]) as stack:
        labels = rasterise_labels(stack, [box(n, n % 2, 10 * n, 10, 4, 4) for n in range(8)], wkt(UTM), holdout=0.3)
        files = copy_tiles(stack, labels, tmp_path)
    assert files.labelled is None and files.drawn == () and used_labels(labels, files).sampled == ()


def test_where_not_all_labelled_tiles_fit_the_figures_come_from_tiles_at_random(tmp_path: Path) -> None:
    """Those of a common and a rare class alike: a fair share of the classes is for training only."""
    random = np.random.default_rng(3)
    source = make_raster(tmp_path / "scene.tif", np.ones((960, 960), np.uint8))
    places = [(row, column) for row in range(4, 960, 16) for column in range(4, 960, 16)]
    polygons = [box(n, int(random.random() < 0.05), column, row, 8, 8) for n, (row, column) in enumerate(places)]
    with open_stack([source]) as stack:
        labels = rasterise_labels(stack, polygons, wkt(UTM), holdout=0.5)
        files = copy_tiles(stack, labels, tmp_path, 16, 1000 * (8 * 16 * 16 + 8))
    labels = used_labels(labels, files)
    assessed = np.array([each.held_out_used or 0 for each in labels.counts])
    assert 0.02 < assessed[1] / assessed.sum() < 0.09, "as rare as among all held-out pixels"
    trained = [each.training_used or 0 for each in labels.counts]
    assert trained[1] == labels.counts[1].training_pixels > 0, "the rare class trains whole"
    stored, labelled = np.load(files.index), np.load(str(files.labelled))
    assert labelled.shape == (len(stored), 16, 16) and labelled.any(axis=(1, 2)).all()
