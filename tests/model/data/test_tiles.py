"""The stored tiles as training sees them, and the patches cut from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bdgf.model.bdgf import BDGF
from bdgf.model.data.bands import BandScaler
from bdgf.model.data.sampling import LabelSampler, jitter, random_corners, turn
from bdgf.model.data.tiles import TileScene, sample_pixels
from bdgf.model.diffusion.unet import UNet
from bdgf.model.job.progress import Span
from bdgf.model.training import ensemble_weights
from bdgf.model.training.ensemble_weights import ProbeFamily, sample_in_squares
from bdgf.tests.model.scene import SilentReporter, checkered, rasters_of, store, tiny_settings


@pytest.fixture
def stored(tmp_path):
    truth = checkered()
    valid = np.ones(truth.shape, dtype=bool)
    valid[:10, :10] = False
    rasters = rasters_of(truth, (2, 1))
    points = np.array([[20, 20, 0, 1], [70, 90, 1, 2], [71, 90, 1, 2], [100, 100, 1, 3]], np.int32)
    held = np.array([[50, 64, 0, 9]], np.int32)
    files = store(tmp_path, rasters, valid, points, held)
    scalers = [BandScaler.fit(sample_pixels(files, place, 0), 32) for place in range(2)]
    return TileScene(files, scalers), rasters, valid, scalers


def test_a_patch_across_tiles_holds_the_raster(stored):
    scene, rasters, valid, scalers = stored
    found = scene.cut(np.array([[50, 40], [0, 0]]), 32)
    for place, (row, column) in enumerate([(50, 40), (0, 0)]):
        here = np.s_[row : row + 32, column : column + 32]
        flags = torch.from_numpy(valid[here])[None, None]
        wanted = [
            scaler(torch.from_numpy(raster[(slice(None), *here)].astype(np.float32))[None], flags)[0]
            for scaler, raster in zip(scalers, rasters, strict=True)
        ]
        assert torch.allclose(found.inputs[place], torch.cat(wanted), atol=1e-6)
        assert torch.equal(found.valid[place, 0], flags[0, 0])


def test_labels_stand_at_their_pixels_and_held_out_ones_are_flagged(stored):
    scene, *_ = stored
    found = scene.cut(np.array([[64, 80]]), 32)
    assert found.labels[0, 6, 10] == 1 and found.labels[0, 7, 10] == 1 and (found.labels >= 0).sum() == 2
    held = scene.cut(np.array([[40, 40]]), 32)
    assert held.held[0, 10, 24] and held.held.sum() == 1
    assert held.labels[0, 10, 24] == -1


def test_beyond_the_stored_tiles_nothing_is_valid(stored):
    scene, *_ = stored
    found = scene.cut(np.array([[-10, -10], [120, 120], [10_000, 5]]), 32)
    assert not found.valid[0, :, :10].any() and not found.valid[1, :, 8:].any() and not found.valid[2].any()
    assert (found.inputs[2] == 0).all() and (found.labels[2] == -1).all()


def test_sampled_pixels_are_valid_ones(tmp_path):
    truth = checkered()
    valid = truth == 1
    raster = np.where(valid, 5, 99)[None].astype(np.uint8)
    files = store(tmp_path, [raster], valid, np.empty((0, 4), np.int32), np.empty((0, 4), np.int32))
    assert (sample_pixels(files, 0, 0) == 5).all()


def test_a_scene_without_a_valid_pixel_is_refused(tmp_path):
    none = np.zeros((64, 64), dtype=bool)
    nothing = np.empty((0, 4), np.int32)
    files = store(tmp_path, [np.zeros((1, 64, 64))], none, nothing, nothing)
    with pytest.raises(ValueError, match="no valid pixel"):
        sample_pixels(files, 0, 0)


def test_sampler_picks_classes_evenly_and_keeps_the_pixel_inside(stored):
    scene, *_ = stored
    random = np.random.default_rng(0)
    sampler = LabelSampler(scene.training)
    corners = sampler.corners(400, 32, random)
    labels = scene.cut(corners, 32).labels
    assert ((labels >= 0).flatten(1).sum(dim=1) > 0).all()
    first_class = (labels == 0).flatten(1).any(dim=1).float().mean()
    assert 0.4 < first_class < 0.6
    offsets = (scene.training[0, :2] - corners)[(labels == 0).flatten(1).any(dim=1).numpy()]
    assert offsets.min() == 0 and offsets.max() == 31


def test_random_patches_avoid_tiles_without_valid_pixels(tmp_path):
    valid = np.zeros((128, 128), dtype=bool)
    valid[64:, 64:] = True
    nothing = np.empty((0, 4), np.int32)
    files = store(tmp_path, [np.ones((1, 128, 128))], valid, nothing, nothing)
    scene = TileScene(files, [BandScaler.fit(sample_pixels(files, 0, 0), 32)])
    corners = random_corners(scene, 50, 32, np.random.default_rng(0))
    assert (corners + 16 >= 64).all()


@pytest.mark.parametrize("number", range(8))
def test_turning_turns_everything_together(stored, number):
    scene, *_ = stored
    found = scene.cut(np.array([[64, 80]]), 32)
    turned = turn(found, number)
    marked = turned.inputs[0, :, turned.labels[0] == 1]
    assert torch.equal(marked.sort(dim=1).values, found.inputs[0, :, found.labels[0] == 1].sort(dim=1).values)
    images = [turn(found, other).inputs for other in range(8)]
    assert sum(torch.equal(turned.inputs, each) for each in images) == 1


def test_jitter_moves_whole_channels_and_leaves_invalid_pixels(stored):
    scene, *_ = stored
    found = scene.cut(np.array([[0, 0], [64, 64]]), 32)
    moved = jitter(found, 0.2, np.random.default_rng(0))
    assert (moved.inputs[~found.valid.expand_as(found.inputs)] == 0).all()
    change = moved.inputs[1] - found.inputs[1]
    for before, after in zip(found.inputs[1].flatten(1), moved.inputs[1].flatten(1), strict=True):
        assert np.corrcoef(before, after)[0, 1] > 0.999
    assert change.abs().max() > 0.01
    assert jitter(found, 0.0, np.random.default_rng(0)) is found


@pytest.fixture
def sampled(tmp_path):
    """A scene of two classes in which every pixel has a label, and a few of them are the sample."""
    truth = checkered()
    valid = np.ones(truth.shape, dtype=bool)
    cells = np.argwhere(valid)[::7]
    codes = truth[cells[:, 0], cells[:, 1]]
    points = np.column_stack([cells, codes, cells[:, 0] // 16 * 10 + codes]).astype(np.int32)
    files = store(tmp_path, rasters_of(truth, (2, 1)), valid, points[50:], points[:50])
    np.save(tmp_path / "labelled.npy", np.ones((4, 64, 64), bool))
    files = replace(files, labelled=str(tmp_path / "labelled.npy"), drawn=(80_000, 20_000))
    return TileScene(files, [BandScaler.fit(sample_pixels(files, place, 0), 32) for place in range(2)])


def test_labelled_pixels_outside_the_sample_take_no_part(sampled):
    found = sampled.cut(np.array([[64, 32]]), 32)
    assert ((found.labels[0] >= 0) ^ found.held[0]).all(), "each pixel has a label or is kept out of every loss"
    assert 0.1 < (found.labels >= 0).float().mean() < 0.2


def test_a_sample_stands_for_all_that_was_drawn(sampled):
    points = sampled.training
    assert sampled.drawn(points, 2) == pytest.approx([80_000, 20_000])
    assert sampled.drawn(points[points[:, 2] == 1], 2) == pytest.approx([0, 20_000])
    sampler = LabelSampler(points, 0.0, sampled.drawn(points, 2))
    corners = sampler.corners(500, 1, np.random.default_rng(0))
    assert 0.75 < (sampled.cut(corners, 1).labels == 0).float().mean() < 0.85


def test_of_many_pixels_those_in_whole_squares_are_taken():
    rows, columns = (each.ravel() for each in np.mgrid[:640, :640])
    points = np.column_stack([rows, columns, rows * 0, rows * 0])
    some = sample_in_squares(points, 50_000)
    assert 45_000 <= len(some) <= 50_000 and len(np.unique(some[:, :2] // 16, axis=0)) * 256 == len(some)
    assert sample_in_squares(points, len(points)) is points
    apart = points[(rows % 16 == 0) & (columns % 4 == 0)]
    assert len(sample_in_squares(apart, 100)) <= 100


def test_probes_are_fitted_to_no_more_pixels_than_serve(sampled, monkeypatch):
    asked = []

    def answers(model, scene, points, values, *_):
        asked.append(len(points))
        return np.random.default_rng(0).normal(size=(len(points), values)).astype(np.float32)

    monkeypatch.setattr(ensemble_weights, "predict_points", answers)
    monkeypatch.setattr(ensemble_weights, "_MOST_FITTED", 300)
    scalers = [BandScaler(2, 2), BandScaler(1, 1)]
    model = BDGF(scalers, UNet(3, 8), tiny_settings(), 2)
    drawn = sampled.drawn(sampled.training, 2)
    ProbeFamily(model, sampled, drawn, 0).fit(sampled.training, Span(SilentReporter(), "train", 0, 1))
    assert asked == [300]
    assert all(probe.weights.abs().sum() > 0 for probe in model.classifier.probes.values())
