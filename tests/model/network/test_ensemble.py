"""The vote: a logarithmic pool whose weights come from polygons that no voter has learned from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from bdgf.model.bdgf import load_model
from bdgf.model.data.bands import BandScaler
from bdgf.model.data.tiles import TileScene, sample_pixels
from bdgf.model.network.ensemble import Vote
from bdgf.model.training import classifier_training as learning
from bdgf.model.training.ensemble_weights import calibration_fold
from bdgf.model.training.jobs import train
from bdgf.tests.model.scene import SilentReporter, tiny_settings, train_job


def opinions_of(classes, sharpness, seed):
    """Log-probabilities (P, K) of a voter that favours the right class by `sharpness`, with noise of deviation 1."""
    noise = torch.randn(len(classes), 3, generator=torch.Generator().manual_seed(seed))
    return (noise + sharpness * functional.one_hot(classes, 3)).log_softmax(dim=1)


def test_before_it_is_weighed_the_vote_is_the_geometric_mean():
    opinions = torch.randn(2, 4, 3, 5, 5).log_softmax(dim=2)
    wanted = opinions.mean(dim=1).exp()
    assert torch.allclose(Vote([0] * 4)(opinions), wanted / wanted.sum(dim=1, keepdim=True), atol=1e-6)


def test_groups_can_weigh_the_same():
    vote = Vote([0, 0, 0, 1])
    vote.level_groups()
    assert vote.weights.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_who_knows_weighs_more_and_who_exaggerates_less():
    classes = torch.arange(600) % 3
    knows, guesses = opinions_of(classes, 2.0, 0), opinions_of(classes, 0.0, 1)
    loud = (opinions_of(classes, 2.0, 2) * 5).log_softmax(dim=1)
    vote = Vote([0, 1, 2])
    vote.fit(torch.stack([knows, guesses, loud], dim=1), classes, polygons=200)
    knowing, guessing, exaggerating = vote.weights.tolist()
    assert guessing == 0 and knowing > 2 * exaggerating >= 0


def test_the_weighed_vote_is_as_sure_as_it_is_right():
    classes = torch.arange(3000) % 3
    opinions = torch.stack([(opinions_of(classes, 1.0, seed) * 4).log_softmax(dim=1) for seed in (0, 1)], dim=1)
    vote = Vote([0, 0])
    before = vote(opinions).amax(dim=1).mean()
    vote.fit(opinions[:1500], classes[:1500], polygons=200)
    answer = vote(opinions[1500:])
    right = (answer.argmax(dim=1) == classes[1500:]).float().mean()
    assert before > right + 0.1, "the voters exaggerate"
    assert answer.amax(dim=1).mean() == pytest.approx(float(right), abs=0.03)


def test_those_of_a_group_weigh_the_same():
    classes = torch.arange(300) % 3
    opinions = torch.stack([opinions_of(classes, sharpness, 0) for sharpness in (3.0, 0.0, 1.0)], dim=1)
    vote = Vote([0, 0, 1])
    vote.fit(opinions, classes, polygons=50)
    assert vote.weights[0] == vote.weights[1] != vote.weights[2]


def test_a_group_that_knows_little_is_left_out():
    classes = torch.arange(600) % 3
    opinions = torch.stack([opinions_of(classes, 3.0, 0), opinions_of(classes, 0.1, 1)], dim=1)
    vote = Vote([0, 1])
    vote.fit(opinions, classes, polygons=500)
    assert vote.weights[1] == 0 and vote.weights[0] > 0.5
    assert torch.equal(vote(opinions).argmax(dim=1), opinions[:, 0].argmax(dim=1))


def test_few_polygons_hardly_move_it():
    classes = torch.arange(60) % 3
    opinions = torch.stack([opinions_of(classes, 3.0, 0), opinions_of(classes, 0.0, 1)], dim=1)
    moved = []
    for polygons in (1, 1000):
        vote = Vote([0, 1])
        vote.fit(opinions, classes, polygons)
        moved.append(float((vote.weights - 0.5).abs().max()))
    assert moved[0] < moved[1] / 2


def test_the_fold_takes_whole_polygons_and_leaves_rare_classes_alone():
    units = np.repeat(np.arange(19), 4)
    classes = np.repeat([0] * 8 + [1] * 8 + [2] * 3, 4)
    points = np.column_stack([np.arange(76), np.zeros(76), classes, units]).astype(np.int32)
    fold = calibration_fold(points, 0.25, np.random.default_rng(0))
    chosen = np.unique(units[fold])
    assert len(chosen) == 4 and fold.sum() == 16, "two of eight polygons of two classes, whole"
    assert not fold[classes == 2].any(), "a quarter of three polygons is none"
    few = points[points[:, 3] >= 13]
    assert not calibration_fold(few, 0.34, np.random.default_rng(0)).any(), "one of three and one of three are too few"
    assert not calibration_fold(points, 0.0, np.random.default_rng(0)).any()


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


def test_training_weighs_the_vote_and_says_so(tmp_path):
    done = train(train_job(tmp_path), SilentReporter())
    weights = {curve.name: curve.values for curve in done.curves if curve.name.endswith(" weight")}
    assert set(weights) == {"cnn weight", "mamba weight", "transformer weight", "spectral weight"}
    assert weights["cnn weight"] == weights["mamba weight"] == weights["transformer weight"]
    set_first, found = weights["cnn weight"]
    assert set_first == pytest.approx(1 / 6) and found != set_first


@pytest.mark.parametrize(
    ("few", "wanted"), [(30, [1 / 6, 1 / 6, 1 / 6, 1 / 2]), (10, [0.25] * 4)], ids=["few labels", "more labels"]
)
def test_what_nobody_has_proved_is_weighed_by_the_number_of_labels(tmp_path, monkeypatch, few, wanted):
    monkeypatch.setattr(learning, "FEW", few)  # the job has 20 labelled pixels a class
    settings = tiny_settings()
    settings = tiny_settings(training=type(settings.training)(steps=4, batch=2, calibrate=0.0))
    job = train_job(tmp_path, settings)
    done = train(job, SilentReporter())
    model, _ = load_model(job.output)
    weights = model.classifier.vote.weights.tolist()
    assert weights == pytest.approx(wanted)
    told = [curve.values for curve in done.curves if curve.name.endswith(" weight")]
    assert told == [(each,) for each in weights], "as they were set, and never anew"


@pytest.mark.parametrize(
    ("weights", "idle"),
    [
        ([0.0, 0.0, 0.0, 1.3], ["features", "classifier.branches.cnn", "classifier.branches.transformer"]),
        ([0.4, 0.4, 0.4, 0.0], ["classifier.spectral"]),
        ([0.25, 0.25, 0.25, 0.25], []),
    ],
    ids=["spectrum alone", "branches alone", "everyone"],
)
def test_who_has_no_weight_is_not_computed_and_not_missed(tmp_path, weights, idle):
    job = train_job(tmp_path)
    train(job, SilentReporter())
    model, _ = load_model(job.output)
    model.classifier.vote.weights.copy_(torch.tensor(weights))
    channels, corners = sum(model.groups), torch.zeros(2, 2, dtype=torch.long)
    inputs = torch.randn(2, channels, 32, 32, generator=torch.Generator().manual_seed(0))
    valid = torch.ones(2, 1, 32, 32, dtype=torch.bool)
    with torch.inference_mode():
        wanted = model.classifier.vote(model.opinions(inputs, valid, corners))
        computed = []
        parts = ("features", "classifier.spectral", "classifier.branches.cnn", "classifier.branches.transformer")
        for name in parts:
            model.get_submodule(name).register_forward_hook(lambda *_, name=name: computed.append(name))
        assert torch.equal(model(inputs, valid, corners), wanted)
    assert sorted(computed) == sorted(set(parts) - set(idle))
