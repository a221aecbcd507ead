"""The pool: a logarithmic pool whose weights come from polygons that no member has learned from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from bdgf.model.bdgf import load_model
from bdgf.model.data.bands import BandScaler
from bdgf.model.data.tiles import TileScene, sample_pixels
from bdgf.model.network.ensemble import OpinionPool
from bdgf.model.training import classifier_training as learning
from bdgf.model.training.ensemble_weights import left_out_polygons
from bdgf.model.training.jobs import train
from bdgf.tests.model.scene import SilentReporter, tiny_settings, train_job


def log_probabilities_of(classes, sharpness, seed):
    """Log-probabilities (P, K) of a member that favours the right class by `sharpness`, with noise of deviation 1."""
    noise = torch.randn(len(classes), 3, generator=torch.Generator().manual_seed(seed))
    return (noise + sharpness * functional.one_hot(classes, 3)).log_softmax(dim=1)


def test_before_it_is_weighed_the_pool_is_the_geometric_mean():
    log_probabilities = torch.randn(2, 4, 3, 5, 5).log_softmax(dim=2)
    wanted = log_probabilities.mean(dim=1).exp()
    assert torch.allclose(OpinionPool([0] * 4)(log_probabilities), wanted / wanted.sum(dim=1, keepdim=True), atol=1e-6)


def test_groups_can_weigh_the_same():
    pool = OpinionPool([0, 0, 0, 1])
    pool.level_groups()
    assert pool.weights.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_who_knows_weighs_more_and_who_exaggerates_less():
    classes = torch.arange(600) % 3
    knows, guesses = log_probabilities_of(classes, 2.0, 0), log_probabilities_of(classes, 0.0, 1)
    loud = (log_probabilities_of(classes, 2.0, 2) * 5).log_softmax(dim=1)
    pool = OpinionPool([0, 1, 2])
    pool.fit(torch.stack([knows, guesses, loud], dim=1), classes, polygons=200)
    knowing, guessing, exaggerating = pool.weights.tolist()
    assert guessing == 0 and knowing > 2 * exaggerating >= 0


def test_the_weighed_pool_is_as_sure_as_it_is_right():
    classes = torch.arange(3000) % 3
    log_probabilities = torch.stack(
        [(log_probabilities_of(classes, 1.0, seed) * 4).log_softmax(dim=1) for seed in (0, 1)], dim=1
    )
    pool = OpinionPool([0, 0])
    before = pool(log_probabilities).amax(dim=1).mean()
    pool.fit(log_probabilities[:1500], classes[:1500], polygons=200)
    answer = pool(log_probabilities[1500:])
    right = (answer.argmax(dim=1) == classes[1500:]).float().mean()
    assert before > right + 0.1, "the members exaggerate"
    assert answer.amax(dim=1).mean() == pytest.approx(float(right), abs=0.03)


def test_those_of_a_group_weigh_the_same():
    classes = torch.arange(300) % 3
    log_probabilities = torch.stack(
        [log_probabilities_of(classes, sharpness, 0) for sharpness in (3.0, 0.0, 1.0)], dim=1
    )
    pool = OpinionPool([0, 0, 1])
    pool.fit(log_probabilities, classes, polygons=50)
    assert pool.weights[0] == pool.weights[1] != pool.weights[2]


def test_a_group_that_knows_little_is_left_out():
    classes = torch.arange(600) % 3
    log_probabilities = torch.stack(
        [log_probabilities_of(classes, 3.0, 0), log_probabilities_of(classes, 0.1, 1)], dim=1
    )
    pool = OpinionPool([0, 1])
    pool.fit(log_probabilities, classes, polygons=500)
    assert pool.weights[1] == 0 and pool.weights[0] > 0.5
    assert torch.equal(pool(log_probabilities).argmax(dim=1), log_probabilities[:, 0].argmax(dim=1))


def test_few_polygons_hardly_move_it():
    classes = torch.arange(60) % 3
    log_probabilities = torch.stack(
        [log_probabilities_of(classes, 3.0, 0), log_probabilities_of(classes, 0.0, 1)], dim=1
    )
    moved = []
    for polygons in (1, 1000):
        pool = OpinionPool([0, 1])
        pool.fit(log_probabilities, classes, polygons)
        moved.append(float((pool.weights - 0.5).abs().max()))
    assert moved[0] < moved[1] / 2


def test_the_fold_takes_whole_polygons_and_leaves_rare_classes_alone():
    units = np.repeat(np.arange(19), 4)
    classes = np.repeat([0] * 8 + [1] * 8 + [2] * 3, 4)
    points = np.column_stack([np.arange(76), np.zeros(76), classes, units]).astype(np.int32)
    fold = left_out_polygons(points, 0.25, np.random.default_rng(0))
    chosen = np.unique(units[fold])
    assert len(chosen) == 4 and fold.sum() == 16, "two of eight polygons of two classes, whole"
    assert not fold[classes == 2].any(), "a quarter of three polygons is none"
    few = points[points[:, 3] >= 13]
    assert not left_out_polygons(few, 0.34, np.random.default_rng(0)).any(), "one of three and one of three are too few"
    assert not left_out_polygons(points, 0.0, np.random.default_rng(0)).any()


def test_pixels_set_aside_are_in_no_loss_until_they_are_brought_back(tmp_path):
    job = train_job(tmp_path)
    scalers = [BandScaler.fit(sample_pixels(job.tiles, place, 0), 32) for place in range(2)]
    scene = TileScene(job.tiles, scalers)
    before = scene.cut(np.array([[0, 0]]), 128)
    aside = scene.training[:10]
    scene.set_aside(aside)
    without = scene.cut(np.array([[0, 0]]), 128)
    assert (before.labels >= 0).sum() - (without.labels >= 0).sum() == 10
    assert without.held.sum() - before.held.sum() == 10
    scene.bring_back(aside)
    after = scene.cut(np.array([[0, 0]]), 128)
    assert torch.equal(after.labels, before.labels) and torch.equal(after.held, before.held)


def test_training_weighs_the_members_and_says_so(tmp_path):
    done = train(train_job(tmp_path), SilentReporter())
    weights = {curve.name: curve.values for curve in done.curves if curve.name.endswith(" weight")}
    assert set(weights) == {"cnn weight", "mamba weight", "transformer weight", "probe weight"}
    assert weights["cnn weight"] == weights["mamba weight"] == weights["transformer weight"]
    set_first, found = weights["cnn weight"]
    assert set_first == pytest.approx(1 / 6) and found != set_first


@pytest.mark.parametrize(
    ("few", "wanted"), [(30, [1 / 6, 1 / 6, 1 / 6, 1 / 2]), (10, [0.25] * 4)], ids=["few labels", "more labels"]
)
def test_what_nobody_has_proved_is_weighed_by_the_number_of_labels(tmp_path, monkeypatch, few, wanted):
    monkeypatch.setattr(learning, "FEW", few)  # the job has 20 labelled pixels a class
    settings = tiny_settings()
    settings = tiny_settings(training=type(settings.training)(steps=4, batch=2, left_out_share=0.0))
    job = train_job(tmp_path, settings)
    done = train(job, SilentReporter())
    model, _ = load_model(job.output)
    weights = model.classifier.pool.weights.tolist()
    assert weights == pytest.approx(wanted)
    told = [curve.values for curve in done.curves if curve.name.endswith(" weight")]
    assert told == [(each,) for each in weights], "as they were set, and never anew"


@pytest.mark.parametrize(
    ("weights", "idle"),
    [
        ([0.0, 0.0, 0.0, 1.3], ["features", "classifier.branches.cnn", "classifier.branches.transformer"]),
        ([0.4, 0.4, 0.4, 0.0], ["classifier.probe"]),
        ([0.25, 0.25, 0.25, 0.25], []),
    ],
    ids=["spectrum alone", "branches alone", "everyone"],
)
def test_who_has_no_weight_is_not_computed_and_not_missed(tmp_path, weights, idle):
    job = train_job(tmp_path)
    train(job, SilentReporter())
    model, _ = load_model(job.output)
    model.classifier.pool.weights.copy_(torch.tensor(weights))
    channels, corners = sum(model.groups), torch.zeros(2, 2, dtype=torch.long)
    inputs = torch.randn(2, channels, 32, 32, generator=torch.Generator().manual_seed(0))
    valid = torch.ones(2, 1, 32, 32, dtype=torch.bool)
    with torch.inference_mode():
        wanted = model.classifier.pool(model.log_probabilities(inputs, valid, corners))
        computed = []
        parts = ("features", "classifier.probe", "classifier.branches.cnn", "classifier.branches.transformer")
        for name in parts:
            model.get_submodule(name).register_forward_hook(lambda *_, name=name: computed.append(name))
        assert torch.equal(model(inputs, valid, corners), wanted)
    assert sorted(computed) == sorted(set(parts) - set(idle))
