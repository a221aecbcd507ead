"""Training jobs as the worker gets them: every part learns, has its switch, and the same seed gives the same model."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from bdgf.model.bdgf import BDGF, load_model
from bdgf.model.data.bands import BandScaler
from bdgf.model.data.sampling import LabelSampler
from bdgf.model.data.tiles import TileScene, sample_pixels
from bdgf.model.device.choice import mixed_precision
from bdgf.model.diffusion.unet import UNet
from bdgf.model.errors import JobCancelled
from bdgf.model.shared.header import ModelFileError, read_header
from bdgf.model.shared.jobs import PretrainJob
from bdgf.model.shared.settings import BRANCHES, GUIDANCE, BranchSettings, MutualSettings, TrainingSettings
from bdgf.model.training.classifier_training import Learner, class_weights, draw_patches
from bdgf.model.training.jobs import pretrain, train
from bdgf.model.training.mutual import MutualLearning
from bdgf.tests.model.scene import PRESETS, SilentReporter, tiny_settings, train_job


def learner_of(tmp_path, **branches):
    """A model as training begins, with patches that hold labels."""
    job = train_job(tmp_path)
    settings = tiny_settings(branches=BranchSettings(width=32, depth=1, **branches))
    scalers = [BandScaler.fit(sample_pixels(job.tiles, place, 0), 32) for place in range(2)]
    scene = TileScene(job.tiles, scalers)
    torch.manual_seed(0)
    model = BDGF(scalers, UNet(4, settings.diffusion.width), settings, classes=2)
    counts = np.bincount(scene.training[:, 2], minlength=2)
    mutual = MutualLearning(settings.branches.use, 32, torch.tensor(counts).float(), MutualSettings(confidence=0.0))
    corners = np.clip(scene.training[:4, :2] - 16, 0, 96)
    return Learner(model, mutual, class_weights(counts, 4.0)), scene.cut(corners, 32)


def test_every_trained_part_gets_a_gradient(tmp_path):
    learner, patches = learner_of(tmp_path)
    optimiser = torch.optim.SGD(learner.model.classifier.parameters(), 0.1)
    for _ in range(2):  # residual blocks end in zeros: what lies before their end moves from the second step on
        loss, _ = learner.loss(patches, ramp=1.0, random=torch.Generator().manual_seed(0))
        learner.model.zero_grad()
        learner.mutual.zero_grad()
        loss.backward()
        optimiser.step()
    still = [
        name
        for network in (learner.model.classifier, learner.mutual)
        for name, value in network.named_parameters()
        if value.grad is None or value.grad.abs().max() == 0
    ]
    # a constant added to every key moves no attention weight, so a key's bias may rest; nothing else may
    assert still == []
    frozen = learner.model.features.unet.parameters()
    assert all(value.grad is None for value in frozen), "the diffusion network only guides"


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_single_branch_classifies_alone(tmp_path, branch):
    learner, patches = learner_of(tmp_path, use=(branch,))
    loss, outputs = learner.loss(patches, 1.0, torch.Generator())
    assert list(outputs) == [branch] and torch.isfinite(loss)


@pytest.mark.parametrize("kind", GUIDANCE)
def test_each_guidance_has_its_switch_and_reaches_one_branch(tmp_path, kind):
    others = tuple(each for each in GUIDANCE if each != kind)
    learner, patches = learner_of(tmp_path, guidance=others)
    _, before = learner.loss(patches, 0.0, torch.Generator())
    with torch.no_grad():
        for value in learner.model.features.unet.parameters():
            value.mul_(1.5)
    _, after = learner.loss(patches, 0.0, torch.Generator())
    moved = {name for name in before if not torch.equal(before[name].logits, after[name].logits)}
    unguided = {"fusion": "cnn", "attention": "mamba", "cross": "transformer"}[kind]
    assert moved == set(BRANCHES) - {unguided}


def test_class_weights_are_bounded_and_mean_one_over_pixels():
    counts = np.array([1000, 500, 1])
    weights = class_weights(counts, 4.0).numpy()
    assert (weights * counts).sum() / counts.sum() == pytest.approx(1)
    assert weights[1] / weights[0] == pytest.approx(2) and weights[2] / weights[0] == pytest.approx(4)


def probabilities(path) -> torch.Tensor:
    model, _ = load_model(str(path))
    random = torch.Generator().manual_seed(0)
    inputs = torch.randn(1, 8, 32, 32, generator=random)
    with torch.no_grad():
        return model(inputs, torch.ones(1, 1, 32, 32, dtype=torch.bool), torch.zeros(1, 2, dtype=torch.long))


@pytest.fixture(scope="module")
def base_map(tmp_path_factory):
    torch.set_num_threads(1)
    job = train_job(tmp_path_factory.mktemp("base"))
    train(job, SilentReporter())
    return probabilities(job.output)


def test_the_same_seed_gives_the_same_map_and_another_does_not(tmp_path, base_map):
    torch.set_num_threads(1)
    same, other = train_job(tmp_path / "same"), replace(train_job(tmp_path / "other"), seed=2)
    for job in (same, other):
        train(job, SilentReporter())
    assert torch.equal(probabilities(same.output), base_map)
    assert not torch.equal(probabilities(other.output), base_map)


def switched(group: str, **changes):
    settings = tiny_settings()
    return replace(settings, **{group: replace(getattr(settings, group), **changes)})


SWITCHES = {
    "no masking": switched("diffusion", masking="none"),
    "random masking": switched("diffusion", masking="random", rate_low=0.5),
    "no pre-training": switched("diffusion", steps=0),
    "no guidance": switched("branches", guidance=()),
    "without the CNN": switched("branches", use=("mamba", "transformer")),
    "without the Mamba": switched("branches", use=("cnn", "transformer")),
    "without the Transformer": switched("branches", use=("cnn", "mamba")),
    "no local mean difference": switched("branches", local_mean_sides=()),
    "no probe": switched("branches", probes=()),
    "members not weighed": switched("training", left_out_share=0.0),
    "patches of one size": switched("training", patch_sizes=(32,)),
    "no entropy alignment": switched("mutual", entropy=0.0),
    "no feature similarity": switched("mutual", feature=0.0),
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_switch_changes_the_map(tmp_path, base_map, switch):
    torch.set_num_threads(1)
    job = train_job(tmp_path, SWITCHES[switch])
    train(job, SilentReporter())
    assert not torch.allclose(probabilities(job.output), base_map, atol=1e-6)


@pytest.mark.parametrize("bands", [(3,), (3, 1), (2, 1, 40)])
def test_one_two_and_three_modalities(tmp_path, bands):
    job = train_job(tmp_path, bands=bands)
    reporter = SilentReporter()
    result = train(job, reporter)
    header = read_header(job.output)
    assert [len(each.bands) for each in header.modalities] == list(bands)
    assert [len(each) for each in header.ranges] == list(bands)
    assert sum(map(sum, result.confusion)) == 40
    assert reporter.fractions == sorted(reporter.fractions)
    assert {"prepare", "pretrain", "train", "assess"} == set(reporter.phases)
    if 40 in bands:
        assert load_model(job.output)[0].scalers[2].channels <= 32


@pytest.mark.parametrize(("batch", "counts"), [(16, [16, 4]), (2, [2, 1])])
def test_patches_of_both_sizes_come_in_turn_and_hold_labels(tmp_path, batch, counts):
    job = train_job(tmp_path)
    scene = TileScene(job.tiles, [BandScaler.fit(sample_pixels(job.tiles, place, 0), 32) for place in range(2)])
    settings, random = TrainingSettings(batch=batch), np.random.default_rng(0)
    sampler = LabelSampler(scene.training, settings.balance)
    steps = [draw_patches(scene, sampler, settings, step, random) for step in range(4)]
    assert [tuple(each.inputs.shape[0::2]) for each in steps] == [(counts[0], 16), (counts[1], 32)] * 2
    assert all((each.labels >= 0).flatten(1).any(dim=1).all() for each in steps)


def test_a_short_training_weighs_the_members_too(tmp_path):
    done = train(train_job(tmp_path, tiny_settings().with_steps(1, 1)), SilentReporter())
    weights = next(each for each in done.curves if each.name == "score_probe weight")
    assert len(weights.values) == 2


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_trains_and_keeps_its_settings_whole(tmp_path, name):
    settings = PRESETS[name].with_steps(1, 1)
    settings = replace(
        settings, diffusion=replace(settings.diffusion, batch=1), training=replace(settings.training, batch=1)
    )
    job = train_job(tmp_path, settings)
    train(job, SilentReporter())
    assert read_header(job.output).settings == settings


def test_enough_steps_learn_the_classes(tmp_path):
    settings = tiny_settings()
    settings = replace(settings, training=replace(settings.training, steps=60, batch=4)).with_steps(10, None)
    confusion = train(train_job(tmp_path, settings), SilentReporter()).confusion
    assert (confusion[0][0] + confusion[1][1]) / 40 >= 0.9


def test_a_pre_trained_model_is_used_and_trained_on(tmp_path):
    job = train_job(tmp_path)
    shared = {
        name: getattr(job, name)
        for name in ("tiles", "modalities", "scene", "settings", "seed", "device", "plugin_version")
    }
    first = PretrainJob(**shared, output=str(tmp_path / "first.safetensors"))
    pretrain(first, SilentReporter())
    assert read_header(first.output).kind == "pretrained"
    again = PretrainJob(**shared, output=str(tmp_path / "again.safetensors"), pretrained=first.output)
    pretrain(again, SilentReporter())
    one, two = (load_model(path)[0].features.unet.stem.weight for path in (first.output, again.output))
    assert not torch.equal(one, two)
    reporter = SilentReporter()
    longer = replace(job, pretrained=first.output, settings=job.settings.with_steps(99, None))
    train(longer, reporter)
    assert read_header(job.output).settings == job.settings, "of pre-training it tells what there was"
    assert "pretrain" not in reporter.phases
    assert torch.equal(load_model(job.output)[0].features.unet.stem.weight, one)


def test_a_pre_trained_model_of_other_bands_is_refused(tmp_path):
    job = train_job(tmp_path / "one")
    train(job, SilentReporter())
    other = replace(train_job(tmp_path / "other", bands=(2, 1)), pretrained=job.output)
    with pytest.raises(ModelFileError, match="other bands"):
        train(other, SilentReporter())


class Impatient(SilentReporter):
    """Cancels once the classifier has learned for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def progress(self, phase: str, fraction: float, text: str = "", step: int = 0, steps: int = 0) -> None:
        super().progress(phase, fraction, text, step, steps)
        self.steps += phase == "train" and steps > 0

    def check(self) -> None:
        if self.steps > 4:
            raise JobCancelled


def test_a_cancelled_training_keeps_its_state_only_where_asked(tmp_path):
    job = train_job(tmp_path)
    with pytest.raises(JobCancelled):
        train(job, Impatient())
    assert not (tmp_path / "model.safetensors").exists()
    kept = train(replace(job, keep_partial=True), Impatient())
    assert kept.partial and kept.confusion == ()
    assert read_header(job.output).confusion == ()
    assert torch.isfinite(probabilities(job.output)).all()


def test_mixed_precision_learns_with_weights_in_single(tmp_path, monkeypatch):
    """As on a CUDA card, in the same bfloat16."""
    used = []

    def mixed(device):
        used.append(device.type)
        return torch.autocast(device.type, torch.bfloat16)

    for module in ("diffusion.balanced", "training.classifier_training"):
        monkeypatch.setattr(f"bdgf.model.{module}.mixed_precision", mixed)
    job = train_job(tmp_path)
    result = train(job, SilentReporter())
    assert used.count("cpu") >= tiny_settings().diffusion.steps + tiny_settings().training.steps
    losses = next(each.values for each in result.curves if each.name == "train loss")
    assert all(math.isfinite(each) for each in losses)
    assert {value.dtype for value in load_model(job.output)[0].parameters()} == {torch.float32}
    assert not mixed_precision(torch.device("cpu"))._enabled
