"""Pre-training without labels: the loop, and its state, from which a cut one goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from ..average import WeightAverage
from ..checkpoint import CheckpointFile, State, named, under
from ..curves import CurveLog
from ..data.sampling import random_corners, turn
from ..data.tiles import TileScene
from ..messages import Curve
from ..progress import Span
from ..rebuild import rebuild
from ..settings import DiffusionSettings
from .balanced import BalancedDiffusion, SkillMeter, masked_mean
from .masking import ModalityMasking, balance_index
from .unet import UNet


class Pretraining:
    """A pre-training under way, with everything that changes from step to step.

    Args:
        unet: the network, on its device.
        scene: where windows are cut from.
        groups: number of channels of each modality, in order.
        settings: steps, windows, masking.
        seed: of windows, noise and masks.
        log: takes the curves.
    """

    def __init__(
        self,
        unet: UNet,
        scene: TileScene,
        groups: Sequence[int],
        settings: DiffusionSettings,
        seed: int,
        log: CurveLog,
    ) -> None:
        self._unet, self._scene, self._settings, self._log = unet, scene, settings, log
        self._device = next(unet.parameters()).device
        self._random, self._noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        self._model = BalancedDiffusion(unet, groups, settings)
        self._masking, self._meter = ModalityMasking(len(groups), settings), SkillMeter(len(groups))
        self.average = WeightAverage(unet, settings.average)
        self._optimiser = torch.optim.AdamW(unet.parameters(), settings.learning_rate, weight_decay=0.01)
        self._planner = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, settings.learning_rate, total_steps=max(2, settings.steps + 1), pct_start=0.1
        )

    def step(self, number: int) -> None:
        """One batch of windows, and now and then a look at the reliance on each modality."""
        settings, masking, noise = self._settings, self._masking, self._noise
        corners = random_corners(self._scene, settings.batch, settings.window, self._random)
        windows = turn(self._scene.cut(corners, settings.window).to(self._device), int(self._random.integers(8)))
        masks = masking.draw(settings.batch, settings.window, settings.window, noise)
        batch = self._model.diffuse(windows, masks, noise)
        wrong, _, hidden = self._model.errors(batch)
        loss = masked_mean(wrong, batch.counted).mean()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._unet.parameters(), 1.0)
        self._optimiser.step()
        self._planner.step()
        self.average.update(self._unet)
        self._meter.observe(wrong.detach(), hidden, batch)
        if number % settings.measure_every == 0:
            if len(masking.rates) > 1:
                masking.observe(self._model.reliance(windows.first(4), noise))
            if number >= settings.warm_up * settings.steps:
                masking.update()
            self._log.add("pretrain loss", number, loss.item())
            _log_balance(self._log, number, masking, self._meter)

    def state(self, done: int) -> State:
        """What `done` steps have come to."""
        tensors = {
            **named("unet", self._unet.state_dict()),
            **named("average", self.average.network.state_dict()),
            "noise": self._noise.get_state(),
        }
        for name, value in self._unet.named_parameters():
            tensors |= named(f"optimiser.{name}", self._optimiser.state[value])
        rest = {
            "updates": self.average.updates,
            "rates": self._masking.rates.tolist(),
            "reliance": self._masking.reliance.tolist(),
            "measured": self._masking.measured,
            "error": self._meter.error.tolist(),
            "left": self._meter.left.tolist(),
            "random": self._random.bit_generator.state,
            "curves": [asdict(each) for each in self._log.curves()],
        }
        return State(done, tensors, rest)

    def restore(self, state: State) -> None:
        """Takes up a state of state()."""
        tensors, rest = state.tensors, state.rest
        self._unet.load_state_dict(under("unet", tensors))
        self.average.network.load_state_dict(under("average", tensors))
        self._noise.set_state(tensors["noise"])
        for name, value in self._unet.named_parameters():
            moments = under(f"optimiser.{name}", tensors)
            self._optimiser.state[value] = {key: _like(value, kept) for key, kept in moments.items()}
        # one step from the one before brings the optimiser's rates to where they were
        self._planner.load_state_dict({"last_epoch": state.step - 1, "_step_count": state.step})
        self._optimiser._opt_called = True  # type: ignore[attr-defined]  # or the planner warns of a wrong order
        self._planner.step()
        self.average.updates = rest["updates"]
        self._masking.rates, self._masking.reliance = np.array(rest["rates"]), np.array(rest["reliance"])
        self._masking.measured = rest["measured"]
        self._meter.error, self._meter.left = np.array(rest["error"]), np.array(rest["left"])
        self._random.bit_generator.state = rest["random"]
        self._log.restore(rebuild(Curve, each) for each in rest["curves"])


def pretrain_unet(
    unet: UNet,
    scene: TileScene,
    groups: Sequence[int],
    settings: DiffusionSettings,
    seed: int,
    span: Span,
    log: CurveLog,
    checkpoint: CheckpointFile | None = None,
) -> UNet:
    """Trains the network on windows of a scene without labels; returns the running average of its weights.

    Goes on from the state in the checkpoint, and keeps its own there.
    """
    pretraining = Pretraining(unet, scene, groups, settings, seed, log)
    state = checkpoint.load() if checkpoint is not None else None
    if state is not None:
        pretraining.restore(state)
    for step in span.steps(settings.steps, state.step if state is not None else 0):
        pretraining.step(step)
        if checkpoint is not None and (checkpoint.due or (step + 1 == settings.steps and checkpoint.begun)):
            checkpoint.save(pretraining.state(step + 1))
    return pretraining.average.network


def _like(value: Tensor, kept: Tensor) -> Tensor:
    """A moment of a weight where and how the optimiser would have made it; its count of steps as it is."""
    return torch.empty_like(value).copy_(kept) if kept.shape == value.shape else kept


def _log_balance(log: CurveLog, step: int, masking: ModalityMasking, meter: SkillMeter) -> None:
    for number, (rate, reliance, skill) in enumerate(
        zip(masking.rates, masking.reliance, meter.skills, strict=True), start=1
    ):
        log.add(f"masking rate {number}", step, rate)
        log.add(f"reliance {number}", step, reliance)
        log.add(f"skill {number}", step, skill)
    log.add("balance index", step, balance_index(meter.skills))
