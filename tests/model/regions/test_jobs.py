"""The jobs of regions, and a process that does them without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bdgf.model.errors import InputError
from bdgf.model.job.reporter import Reporter
from bdgf.model.regions.jobs import grow, segment
from bdgf.model.regions.pixels import load_pixels
from bdgf.model.shared.jobs import GrowJob, SegmentJob, VisiblePixels

REPORTER = Reporter(lambda event: None, lambda: False)


def fields(folder: Path, height: int = 120, width: int = 180) -> VisiblePixels:
    """Four fields of an optical raster; a second one halves them otherwise. The last rows have no data."""
    random = np.random.default_rng(0)
    optical = np.zeros((3, height, width))
    optical[:, : height // 2, : width // 2] = 30
    optical[:, height // 2 :, width // 2 :] = 60
    surface = np.zeros((1, height, width))
    surface[:, :, : width // 4] = 10
    valid = np.ones((height, width), bool)
    valid[-10:] = False
    paths = []
    for name, array, kind in (("optical", optical, np.uint16), ("surface", surface, np.float32)):
        paths.append(str(folder / f"{name}.npy"))
        np.save(paths[-1], np.where(valid, array + 100 + random.normal(size=array.shape), 0).astype(kind))
    np.save(folder / "valid.npy", valid)
    return VisiblePixels(tuple(paths), str(folder / "valid.npy"))


def test_a_field_is_found_by_its_rasters(tmp_path: Path) -> None:
    pixels, output = fields(tmp_path), str(tmp_path / "out.npy")
    for weights, columns in (((), 45), ((1.0, 0.0), 90), ((0.0, 1.0), 45)):
        answer = grow(GrowJob(pixels, weights, 30, 20, 10**6, output), REPORTER)
        rows, found = np.nonzero(np.load(output) <= 0.7)
        assert found.max() + answer.column + 1 == columns, weights
        assert len(found) > 0.8 * columns * (110 if weights[:1] == (0.0,) else 60)
        assert rows.max() + answer.row < 110, "none without data"


def test_places_and_weights_that_cannot_be(tmp_path: Path) -> None:
    pixels, output = fields(tmp_path), str(tmp_path / "out.npy")
    for row, column, weights, reason in (
        (115, 3, (), "no data at this place"),
        (500, 3, (), "no data at this place"),
        (3, 3, (0.0, 0.0), "needs a weight"),
        (3, 3, (1.0,), "needs a weight"),
    ):
        with pytest.raises(InputError, match=reason):
            grow(GrowJob(pixels, weights, row, column, 10, output), REPORTER)


@pytest.mark.parametrize("method", ["slic", "felzenszwalb"])
def test_superpixels_keep_to_the_fields(tmp_path: Path, method: str) -> None:
    pixels, output = fields(tmp_path), str(tmp_path / "out.npy")
    counts = []
    for scale in (10, 30):
        answer = segment(SegmentJob(pixels, (1.0, 0.0), method, scale, output), REPORTER)
        numbers, valid = np.load(output), load_pixels(pixels).valid
        assert ((numbers < 0) == ~valid).all() and numbers.max() == answer.count - 1
        field = (np.arange(120)[:, None] >= 60) * 2 + (np.arange(180)[None] >= 90)
        kind = np.array([0, 1, 1, 2])[field]  # two of the four are alike
        pure = sum(np.bincount(kind[numbers == number]).max() for number in np.unique(numbers[valid]))
        assert pure > 0.97 * valid.sum(), scale
        counts.append(answer.count)
    assert counts[0] > counts[1] >= 3


def test_a_scene_of_one_value_and_one_without_data(tmp_path: Path) -> None:
    for name, valid in (("flat", np.ones((20, 30), bool)), ("empty", np.zeros((20, 30), bool))):
        np.save(tmp_path / f"{name}.npy", np.full((4, 20, 30), 7.0))
        np.save(tmp_path / f"{name}-valid.npy", valid)
        pixels = VisiblePixels((str(tmp_path / f"{name}.npy"),), str(tmp_path / f"{name}-valid.npy"))
        for method in ("slic", "felzenszwalb"):
            answer = segment(SegmentJob(pixels, (), method, 5, str(tmp_path / "out.npy")), REPORTER)
            assert answer.count >= valid.any(), method
            assert (np.load(tmp_path / "out.npy") >= 0).sum() == valid.sum()


def test_regions_load_no_torch() -> None:
    code = (
        "import sys; from bdgf.model.worker.loop import load_scikit_image; load_scikit_image();"
        "import bdgf.model.regions.jobs; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
