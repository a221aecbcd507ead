"""Probes: each pixel judged by itself, by a kernel, on the features they are given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bdgf.model.network.probe import Probe, ProbeFeatures
from bdgf.tests.model.rings import fitted, image_of, rings


def test_it_says_nothing_before_it_is_fitted():
    assert not Probe((3, 1), 4, 64)(torch.randn(2, 4, 5, 5)).any()


def test_it_parts_classes_that_no_plane_parts():
    unseen = rings(1000, 1)
    probe, _ = fitted(rings(400, 0))
    right = (probe(image_of(unseen)).argmax(dim=1).flatten().numpy() == unseen.classes).mean()
    assert right > 0.93


def test_a_pixel_is_judged_by_itself():
    probe, _ = fitted(rings(100, 0))
    image = torch.randn(1, 2, 6, 6)
    before = probe(image)[..., 3, 3]
    image[..., 2, :] += 5
    assert torch.allclose(probe(image)[..., 3, 3], before, atol=1e-6)


def test_the_random_features_stand_for_the_gaussian_kernel():
    """Of features whose total variance is 1, each block's the half: exp(-0.3 |x - y|^2)."""
    values = torch.randn(300, 12, generator=torch.Generator().manual_seed(0))
    probe = Probe((8, 4), 2, 2048)
    probe.set_width(values)
    basis = probe.basis(values)
    scaled = torch.cat([values[:, :8] / 8**0.5, values[:, 8:] / 4**0.5], dim=1)
    total = scaled.var(dim=0, correction=0).sum()
    kernel = (-0.3 * torch.cdist(scaled, scaled) ** 2 / total).exp()
    assert (basis @ basis.T - kernel).abs().mean() < 0.02


def test_the_directions_are_orthogonal_as_far_as_they_can_be():
    directions = Probe((20,), 2, 16).frequencies
    angles = directions @ directions.T
    assert (angles - torch.diag(angles.diag())).abs().max() < 1e-4
    assert len(Probe((3,), 2, 16).frequencies) == 16


def test_a_block_counts_as_much_as_another_whatever_its_size():
    """One feature that tells the classes apart is not drowned by a hundred that do not."""
    telling = rings(400, 0)
    noise = np.random.default_rng(1).normal(size=(400, 200)).astype(np.float32)
    values = torch.from_numpy(np.concatenate([telling.values, noise], axis=1))
    probe = Probe((2, 200), 2, 128)
    probe.set_width(values)
    shares = [float((values[:, part] @ probe.frequencies[:, part].T).var()) for part in (slice(2), slice(2, None))]
    assert shares[0] == pytest.approx(shares[1], rel=0.4)


def test_wrong_labels_do_not_make_it_sure():
    """Its confidence on unseen pixels is about what it gets right."""
    probe, _ = fitted(rings(600, 0, flipped=0.3))
    unseen = rings(2000, 1, flipped=0.3)
    answer = probe(image_of(unseen)).softmax(dim=1)[0, :, 0].T
    right = (answer.argmax(dim=1).numpy() == unseen.classes).mean()
    assert right > 0.6
    assert answer.amax(dim=1).mean() == pytest.approx(float(right), abs=0.06)


def test_the_same_samples_give_the_same_probe():
    (first, _), (second, _) = fitted(rings(200, 0)), fitted(rings(200, 0))
    assert all(torch.equal(a, b) for a, b in zip(first.buffers(), second.buffers(), strict=True))


def test_each_probe_finds_its_blocks_among_all_features():
    features = ProbeFeatures(5, 2, 8, 2)
    bands, scores, differences = (torch.randn(1, count, 16, 16) for count in (5, 5, 2))
    guides = tuple(torch.randn(1, 2 * width, 16 // part, 16 // part) for width, part in ((8, 1), (12, 2), (16, 4)))
    image = features(features.raw(bands, scores, differences, guides))
    assert image.shape == (1, features.count, 16, 16) == (1, 5 + 7 + 2 * 36, 16, 16)
    assert torch.equal(image[:, features.slice_of("score_probe")], torch.cat([scores, differences], dim=1))
    assert torch.equal(image[:, features.slice_of("band_probe")], torch.cat([bands, scores, differences], dim=1))
    assert torch.equal(image[:, features.slice_of("diffusion_probe")][:, 7:23], guides[0])
    assert features.blocks("band_probe") == (5, 7) and features.blocks("diffusion_probe") == (7, 72)
    assert torch.equal(features(features.raw(bands, scores, differences, None)), image[:, :12])


def test_features_are_standardised_and_none_stands_out_without_end():
    features = ProbeFeatures(1, 0, 8, 1)
    pixels = torch.randn(500, features.count) * 7 + 3
    pixels[:, 4] = 2.0
    features.fit(pixels)
    image = features(pixels.T[None, :, :, None])[0, :, :, 0]
    others = torch.arange(features.count) != 4
    assert image[others].mean(dim=1).abs().max() < 1e-5
    assert (image[others].std(dim=1) - 1).abs().max() < 0.01
    assert not image[4].any(), "a feature that does not vary is none"
    assert features(torch.full((1, features.count, 1, 1), 1e9)).max() == 8
