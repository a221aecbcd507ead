"""Noise schedule, balanced loss, reliance and skill, features with fixed noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bdgf.model.data.bands import BandScaler
from bdgf.model.data.tiles import Patches, TileScene, sample_pixels
from bdgf.model.diffusion.balanced import BalancedDiffusion, SkillMeter
from bdgf.model.diffusion.features import NOISE_TILE, DiffusionFeatures
from bdgf.model.diffusion.schedule import add_noise, cosine_alpha_bar
from bdgf.model.diffusion.unet import UNet
from bdgf.model.job.progress import Span
from bdgf.model.shared.settings import DiffusionSettings
from bdgf.model.training.curves import CurveLog
from bdgf.model.training.jobs import train
from bdgf.model.training.pretraining import pretrain_unet
from bdgf.tests.model.scene import SilentReporter, tiny_settings, train_job


def patches(inputs: torch.Tensor) -> Patches:
    batch, _, height, width = inputs.shape
    valid = torch.ones(batch, 1, height, width, dtype=torch.bool)
    labels = torch.full((batch, height, width), -1)
    return Patches(inputs, valid, labels, torch.zeros_like(valid[:, 0]), torch.zeros(batch, 2, dtype=torch.long))


class Oracle(torch.nn.Module):
    """Stands for a U-Net: answers what it is told, or exactly right."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.token = torch.nn.Parameter(torch.zeros(channels))
        self.answer: torch.Tensor | None = None

    def forward(self, diffused, valid, step):
        assert self.answer is not None
        return self.answer


def test_schedule_falls_from_signal_to_noise():
    alpha_bar = cosine_alpha_bar(1000)
    assert (alpha_bar.diff() < 0).all() or (alpha_bar.diff() <= 0).all()
    assert alpha_bar[0] > 0.999 and alpha_bar[-1] < 1e-3
    signal, noise = torch.randn(1, 1, 200, 200), torch.randn(1, 1, 200, 200)
    assert add_noise(signal, noise, alpha_bar[400]).std() == pytest.approx(1, abs=0.02)


def test_loss_is_the_mean_over_each_modality_first():
    settings = DiffusionSettings()
    oracle = Oracle(31)
    model = BalancedDiffusion(oracle, [30, 1], settings)  # type: ignore[arg-type]
    random = torch.Generator().manual_seed(0)
    batch = model.diffuse(patches(torch.randn(2, 31, 16, 16)), torch.zeros(2, 2, 16, 16, dtype=torch.bool), random)
    velocity = batch.alpha_bar.sqrt() * batch.noise - (1 - batch.alpha_bar).sqrt() * batch.signal
    oracle.answer = -velocity
    oracle.answer[:, 30] += 2.0  # wrong in the single height band alone
    errors, _, _ = model.errors(batch)
    assert errors.mean(dim=(0, 2, 3)).tolist() == pytest.approx([0.0, 4.0], abs=1e-5)


def test_hidden_pixels_are_asked_for_the_signal_and_show_the_token():
    oracle = Oracle(2)
    oracle.token.data[:] = torch.tensor([7.0, -7.0])
    model = BalancedDiffusion(oracle, [1, 1], DiffusionSettings())  # type: ignore[arg-type]
    hidden = torch.zeros(1, 2, 16, 16, dtype=torch.bool)
    hidden[:, 1, :8] = True
    batch = model.diffuse(patches(torch.randn(1, 2, 16, 16)), hidden, torch.Generator().manual_seed(0))
    assert (batch.noisy_input[0, 1, :8] == -7).all() and not (batch.noisy_input[0, 0] == 7).any()
    oracle.answer = batch.signal.clone()
    errors, _, share = model.errors(batch)
    assert (errors[0, 1, :8] == 0).all() and errors[0, 1, 8:].mean() > 0.1
    assert torch.equal(share[0].bool(), hidden[0])


def test_a_right_answer_has_full_skill_and_no_answer_none():
    oracle = Oracle(2)
    model = BalancedDiffusion(oracle, [1, 1], DiffusionSettings())  # type: ignore[arg-type]
    meter = SkillMeter(2)
    random = torch.Generator().manual_seed(0)
    for _ in range(200):
        batch = model.diffuse(patches(torch.randn(8, 2, 8, 8)), torch.zeros(8, 2, 8, 8, dtype=torch.bool), random)
        velocity = batch.alpha_bar.sqrt() * batch.noise - (1 - batch.alpha_bar).sqrt() * batch.signal
        oracle.answer = torch.cat([-velocity[:, :1], torch.zeros_like(velocity[:, 1:])], dim=1)
        errors, _, hidden = model.errors(batch)
        meter.observe(errors, hidden, batch)
    assert meter.skills[0] == pytest.approx(1.0)
    assert meter.skills[1] == pytest.approx(0.0, abs=0.03)


def test_held_out_and_invalid_pixels_are_in_no_term():
    model = BalancedDiffusion(Oracle(1), [1], DiffusionSettings())  # type: ignore[arg-type]
    seen = patches(torch.randn(1, 1, 8, 8))
    seen.held[0, 0, 0] = True
    seen.valid[0, 0, 7, 7] = False
    batch = model.diffuse(seen, torch.zeros(1, 1, 8, 8, dtype=torch.bool), torch.Generator())
    assert batch.loss_mask[0, 0, 0, 0] == 0 and batch.loss_mask[0, 0, 7, 7] == 0 and batch.loss_mask.sum() == 62


def pretrained(tmp_path, steps: int = 120):
    job = train_job(tmp_path)
    scalers = [BandScaler.fit(sample_pixels(job.tiles, place, 0), 32) for place in range(2)]
    scene = TileScene(job.tiles, scalers)
    torch.manual_seed(0)
    log = CurveLog()
    settings = DiffusionSettings(width=8, steps=steps, batch=4, measure_every=5)
    unet = pretrain_unet(UNet(4, 8), scene, [3, 1], settings, 0, Span(SilentReporter(), "pretrain", 0, 1), log)
    return unet, {each.name: each.values for each in log.curves()}


def test_pre_training_learns_and_logs_the_balance(tmp_path):
    _, curves = pretrained(tmp_path)
    assert np.mean(curves["pretrain loss"][-4:]) < 0.8 * curves["pretrain loss"][0]
    assert {"masking rate 1", "masking rate 2", "reliance 1", "skill 2", "balance index"} <= set(curves)
    assert curves["skill 1"][-1] > curves["skill 1"][0] + 0.05
    assert 0.1 <= min(curves["masking rate 1"]) and max(curves["masking rate 1"]) <= 0.6


def test_the_same_pixel_gets_the_same_noise_in_every_patch():
    torch.manual_seed(0)
    settings = tiny_settings()
    features = DiffusionFeatures(UNet(2, settings.diffusion.width), 2, settings)
    here = features._noise_at(torch.tensor([[10, 20], [14, 28]]), 32)
    assert torch.equal(here[0, :, 4:, 8:], here[1, :, :-4, :-8])
    again = features._noise_at(torch.tensor([[10 + NOISE_TILE, 20 - NOISE_TILE]]), 32)
    assert torch.equal(here[0], again[0])


def test_features_have_three_levels_side_by_side_for_each_timestep():
    settings = tiny_settings()
    features = DiffusionFeatures(UNet(2, 8), 2, settings)
    features.timesteps = (50, 200)
    fine, middle, coarse = features(torch.randn(1, 2, 32, 32), torch.ones(1, 1, 32, 32), torch.zeros(1, 2).long())
    assert (fine.shape, middle.shape, coarse.shape) == ((1, 16, 32, 32), (1, 24, 16, 16), (1, 32, 8, 8))


def test_every_part_of_the_unet_gets_a_gradient_and_so_does_the_token():
    torch.manual_seed(0)
    unet = UNet(4, 8)
    model = BalancedDiffusion(unet, [3, 1], DiffusionSettings())
    optimiser = torch.optim.SGD(unet.parameters(), 0.1)
    random = torch.Generator().manual_seed(0)
    hidden = torch.zeros(2, 2, 16, 16, dtype=torch.bool)
    hidden[0, 0, :8], hidden[1, 1, 8:] = True, True
    for _ in range(3):  # the head starts at zero, and so do the ends of the residual blocks behind it
        errors, _, _ = model.errors(model.diffuse(patches(torch.randn(2, 4, 16, 16)), hidden, random))
        unet.zero_grad()
        errors.mean().backward()
        optimiser.step()
    still = [name for name, value in unet.named_parameters() if value.grad is None or value.grad.abs().max() == 0]
    assert still == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_gpu_trains_and_classifies(tmp_path):
    job = train_job(tmp_path)
    result = train(replace(job, device="cuda"), SilentReporter())
    assert sum(map(sum, result.confusion)) == 40
