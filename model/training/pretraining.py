"""Pre-training without labels: the loop, and its state, from which a cut one goes on."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from ..data.sampling import random_corners, turn
from ..data.tiles import TileScene
from ..diffusion.balanced import BalancedDiffusion, SkillMeter, masked_mean
from ..diffusion.masking import ModalityMasking, balance_index
from ..diffusion.unet import UNet
from ..job.progress import Span
from ..shared.events import Curve
from ..shared.rebuild import rebuild, rebuildable
from ..shared.settings import DiffusionSettings
from .checkpoint import CheckpointFile
from .curves import CurveLog
from .state_file import State, named, under
from .weight_average import WeightAverage

_Figures = tuple[float, ...]


@rebuildable
@dataclass(frozen=True)
class _Rest:
    """What a state holds beside tensors and numpy's generator; the figures one a modality."""

    updates: int
    rates: _Figures
    reliance: _Figures
    measured: bool
    error: _Figures
    alpha_bar: _Figures
    curves: tuple[Curve, ...]


class Pretraining:
    """A pre-training under way, with everything that changes from step to step.

    Args:
        unet: the network, on its device.
        scene: where patches are cut from.
        groups: number of channels of each modality, in order.
        settings: steps, patches, masking.
        seed: of patches, noise and masks.
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
        self.average = WeightAverage(unet, settings.ema_decay)
        self._optimiser = torch.optim.AdamW(unet.parameters(), settings.learning_rate, weight_decay=0.01)
        self._scheduler = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, settings.learning_rate, total_steps=max(2, settings.steps + 1), pct_start=0.1
        )

    def step(self, number: int) -> None:
        """One batch of patches, and now and then a look at the reliance on each modality."""
        settings, masking, noise = self._settings, self._masking, self._noise
        corners = random_corners(self._scene, settings.batch, settings.patch_size, self._random)
        patches = turn(self._scene.cut(corners, settings.patch_size).to(self._device), int(self._random.integers(8)))
        masks = masking.draw(settings.batch, settings.patch_size, settings.patch_size, noise)
        batch = self._model.diffuse(patches, masks, noise)
        errors, _, hidden = self._model.errors(batch)
        loss = masked_mean(errors, batch.loss_mask).mean()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._unet.parameters(), 1.0)
        self._optimiser.step()
        self._scheduler.step()
        self.average.update(self._unet)
        self._meter.observe(errors.detach(), hidden, batch)
        if number % settings.measure_every == 0:
            if len(masking.rates) > 1:
                masking.observe(self._model.reliance(patches.first(4), noise))
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
        rest = _Rest(
            updates=self.average.updates,
            rates=self._masking.rates.tolist(),
            reliance=self._masking.reliance.tolist(),
            measured=self._masking.measured,
            error=self._meter.error.tolist(),
            alpha_bar=self._meter.alpha_bar.tolist(),
            curves=self._log.curves(),
        )
        return State(done, tensors, {**asdict(rest), "random": self._random.bit_generator.state})

    def restore(self, state: State) -> None:
        """Takes up a state of state(). Raises ValueError, KeyError or RuntimeError where it is none of this network's;
        what was taken up by then makes this object useless, the log apart."""
        tensors, random = state.tensors, state.rest.pop("random")
        rest: _Rest = rebuild(_Rest, state.rest)
        kept = (rest.rates, rest.reliance, rest.error, rest.alpha_bar)
        if not 1 <= state.step <= self._settings.steps or any(len(each) != len(self._masking.rates) for each in kept):
            raise ValueError(f"step {state.step} of another pre-training")
        if not all(torch.isfinite(each).all() for each in tensors.values()):
            raise ValueError("its weights are not finite")
        self._unet.load_state_dict(under("unet", tensors))
        self.average.network.load_state_dict(under("average", tensors))
        self._noise.set_state(tensors["noise"])
        for name, value in self._unet.named_parameters():
            self._optimiser.state[value] = _moments(value, under(f"optimiser.{name}", tensors))
        # one step from the one before brings the optimiser's rates to where they were
        self._scheduler.load_state_dict({"last_epoch": state.step - 1, "_step_count": state.step})
        self._optimiser._opt_called = True  # type: ignore[attr-defined]  # or the scheduler warns of a wrong order
        self._scheduler.step()
        self.average.updates = rest.updates
        self._masking.rates, self._masking.reliance = np.array(rest.rates), np.array(rest.reliance)
        self._masking.measured = rest.measured
        self._meter.error, self._meter.alpha_bar = np.array(rest.error), np.array(rest.alpha_bar)
        self._random.bit_generator.state = random
        self._log.restore(rest.curves)


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
    """Trains the network on patches of a scene without labels; returns the running average of its weights.

    Goes on from the state in the checkpoint, and keeps its own there.
    """
    state = checkpoint.load() if checkpoint is not None else None
    pretraining = Pretraining(copy.deepcopy(unet), scene, groups, settings, seed, log)
    if checkpoint is not None and state is not None:
        try:
            pretraining.restore(state)
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            checkpoint.discard(str(error).splitlines()[0])
            state, pretraining = None, Pretraining(unet, scene, groups, settings, seed, log)
        else:
            checkpoint.resumed(state)
    for step in span.steps(settings.steps, state.step if state is not None else 0):
        pretraining.step(step)
        if checkpoint is not None and (checkpoint.due or (step + 1 == settings.steps and checkpoint.begun)):
            checkpoint.save(pretraining.state(step + 1))
    return pretraining.average.network


def _moments(value: Tensor, kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Moments of a weight where and how the optimiser would have made them; its count of steps as it is.

    Raises ValueError where they are none of this weight's.
    """
    shapes = {"step": torch.Size(), "exp_avg": value.shape, "exp_avg_sq": value.shape}
    if {name: each.shape for name, each in kept.items()} != shapes:
        raise ValueError("the optimiser's state is of another network")
    return {name: each if name == "step" else torch.empty_like(value).copy_(each) for name, each in kept.items()}


def _log_balance(log: CurveLog, step: int, masking: ModalityMasking, meter: SkillMeter) -> None:
    for number, (rate, reliance, skill) in enumerate(
        zip(masking.rates, masking.reliance, meter.skills, strict=True), start=1
    ):
        log.add(f"masking rate {number}", step, rate)
        log.add(f"reliance {number}", step, reliance)
        log.add(f"skill {number}", step, skill)
    log.add("balance index", step, balance_index(meter.skills))
