"""The pixel probe: a kernel machine on single pixels, chosen by polygons that were left out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bdgf.model.errors import JobCancelled
from bdgf.model.network.probe import PixelProbe, Samples, polygon_folds


def rings(count, seed, flipped=0.0):
    """Pixels of two channels, class 1 within a ring of class 0: no plane parts them; some labels are wrong."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, 2)).astype(np.float32)
    classes = (np.linalg.norm(values, axis=1) < 1.2).astype(np.int64)
    wrong = random.random(count) < flipped
    classes[wrong] = 1 - classes[wrong]
    units = random.integers(0, 20, count) + 100 * classes
    return Samples(torch.from_numpy(values), torch.from_numpy(classes), units, torch.ones(2))


def image_of(samples):
    return samples.values.T.reshape(1, 2, 1, -1)


def test_it_says_nothing_before_it_is_fitted():
    assert not PixelProbe(3, 4)(torch.randn(2, 3, 5, 5)).any()


def test_it_parts_classes_that_no_plane_parts():
    probe = PixelProbe(2, 2)
    probe.fit(rings(400, 0), seed=0)
    unseen = rings(1000, 1)
    chosen = probe(image_of(unseen)).argmax(dim=1).flatten()
    assert (chosen == unseen.classes).float().mean() > 0.93


def test_a_pixel_is_judged_by_itself():
    probe = PixelProbe(2, 2)
    probe.fit(rings(100, 0), seed=0)
    image = torch.randn(1, 2, 6, 6)
    before = probe(image)[..., 3, 3]
    image[..., 2, :] += 5
    assert torch.equal(probe(image)[..., 3, 3], before)


def test_wrong_labels_do_not_make_it_sure():
    """Its confidence on unseen pixels is about what it gets right."""
    probe = PixelProbe(2, 2)
    probe.fit(rings(600, 0, flipped=0.3), seed=0)
    unseen = rings(2000, 1, flipped=0.3)
    found = probe(image_of(unseen)).softmax(dim=1)[0, :, 0].T
    right = (found.argmax(dim=1) == unseen.classes).float().mean()
    assert right > 0.6
    assert found.amax(dim=1).mean() == pytest.approx(float(right), abs=0.06)


def test_a_class_of_more_mass_is_chosen_more_often():
    samples = rings(300, 0, flipped=0.3)
    shares = []
    for mass in (torch.tensor([1.0, 1.0]), torch.tensor([1.0, 5.0])):
        probe = PixelProbe(2, 2)
        probe.fit(Samples(samples.values, samples.classes, samples.units, mass), seed=0)
        shares.append(float(probe(image_of(samples)).argmax(dim=1).float().mean()))
    assert shares[1] > shares[0] + 0.1


def test_folds_keep_polygons_whole_and_spread_each_class():
    classes = np.repeat([0, 0, 0, 1, 1, 2], 5)
    units = np.repeat([7, 8, 9, 3, 4, 5], 5)
    folds = polygon_folds(classes, units, 3, np.random.default_rng(0))
    by_unit = [set(folds[units == unit]) for unit in (7, 8, 9)]
    assert all(len(each) == 1 for each in by_unit) and set().union(*by_unit) == {0, 1, 2}
    assert set(folds[classes == 1]) == {0, 1}
    assert set(folds[classes == 2]) == {-1}, "a class of a single polygon is never left out"


def test_fitting_stops_where_it_is_cancelled():
    def cancelled():
        raise JobCancelled

    probe = PixelProbe(2, 2)
    with pytest.raises(JobCancelled):
        probe.fit(rings(200, 0), seed=0, check=cancelled)


def test_one_polygon_a_class_suffices():
    samples = rings(200, 0)
    probe = PixelProbe(2, 2)
    probe.fit(Samples(samples.values, samples.classes, samples.classes.numpy(), samples.mass), seed=0)
    chosen = probe(image_of(samples)).argmax(dim=1).flatten()
    assert (chosen == samples.classes).float().mean() > 0.9


def test_the_same_samples_give_the_same_probe():
    probes = [PixelProbe(2, 2) for _ in range(2)]
    for each in probes:
        each.fit(rings(200, 0), seed=3)
    assert all(torch.equal(a, b) for a, b in zip(probes[0].buffers(), probes[1].buffers(), strict=True))
