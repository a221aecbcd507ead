"""The classifier learns from labelled pixels, its branches from each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .average import WeightAverage
from .bdgf import BDGF
from .curves import CurveLog
from .data.sampling import LabelSampler, jitter, random_corners, turn
from .data.tiles import TileScene, Windows
from .device import mixed_precision
from .network.classifier import BranchOutput, vote
from .network.lanes import BranchLanes
from .network.mutual import MutualLearning
from .progress import Span
from .settings import TrainingSettings


def class_weights(counts: np.ndarray, limit: float) -> Tensor:
    """Weight of each class (K,), rarer ones more, none over `limit` times another; mean 1 over the labelled pixels.

    Taken once from the training set, never per window.
    """
    weights = 1 / np.maximum(counts, 1)
    weights = np.minimum(weights / weights.min(), limit)
    return torch.tensor(weights / (weights * counts).sum() * counts.sum(), dtype=torch.float32)


@dataclass(frozen=True)
class Learner:
    """What a training step needs: the model, the mutual terms, the class weights (K,), and lanes for the branches."""

    model: BDGF
    mutual: MutualLearning
    weights: Tensor
    lanes: BranchLanes | None = None  # backward() of it follows that of the loss

    def loss(self, windows: Windows, ramp: float, random: torch.Generator) -> tuple[Tensor, dict[str, BranchOutput]]:
        """Sum of the branches' cross-entropies on labelled pixels, and the mutual terms times `ramp` (0 to 1)."""
        assert self.model.classifier is not None
        with mixed_precision(windows.inputs.device):
            guides = self.model.features(windows.inputs, windows.valid, windows.corners)
            seen = (windows.inputs, windows.valid, guides)
            mixed = self.model.classifier(*seen) if self.lanes is None else self.lanes.forward(*seen, random)
        outputs = {name: BranchOutput(each.features.float(), each.logits.float()) for name, each in mixed.items()}
        smoothing = self.model.settings.training.label_smoothing
        labelled = windows.labels >= 0
        labels = windows.labels[labelled]
        weights = self.weights[labels]
        loss = windows.inputs.new_zeros(())
        for each in outputs.values():
            logits = each.logits.permute(0, 2, 3, 1)[labelled]
            errors = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
            loss = loss + (errors * weights).sum() / weights.sum()
        if ramp > 0:
            counted = windows.valid[:, 0] & ~windows.held
            loss = loss + ramp * self.mutual(outputs, windows.labels, counted, random)
        return loss, outputs


def train_classifier(model: BDGF, scene: TileScene, classes: int, seed: int, span: Span, log: CurveLog) -> None:
    """Trains the model's classifier on the scene's labelled pixels; the model ends with the averaged weights.

    Raises JobCancelled; the weights up to then are in the model.
    """
    settings = model.settings.training
    device = next(model.parameters()).device
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    assert model.classifier is not None
    counts = np.bincount(scene.training[:, 2], minlength=classes)
    sample = scene.cut(random_corners(scene, 32, settings.window, random), settings.window).to(device)
    model.classifier.relief.fit(sample.inputs, sample.valid)
    mutual = MutualLearning(
        model.settings.branches.use, model.settings.branches.width, torch.tensor(counts).float(), model.settings.mutual
    ).to(device)
    lanes = BranchLanes(model.classifier, torch.get_num_threads()) if device.type == "cpu" else None
    learner = Learner(model, mutual, class_weights(counts, settings.class_weight_limit).to(device), lanes)
    sampler = LabelSampler(scene.training, settings.balance)
    average = WeightAverage(model.classifier, settings.average)
    trained = [*model.classifier.parameters(), *mutual.parameters()]
    optimiser = torch.optim.AdamW(trained, settings.learning_rate, weight_decay=settings.weight_decay)
    planner = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=max(2, settings.steps + 1), pct_start=0.15
    )
    model.classifier.train()
    try:
        for step in span.steps(settings.steps):
            windows = _draw(scene, sampler, settings, random).to(device)
            ramp = _ramp(step / settings.steps, model.settings.mutual.warm_up)
            loss, outputs = learner.loss(windows, ramp, generator)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            if lanes is not None:
                lanes.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            planner.step()
            average.update(model.classifier)
            if step % 10 == 0:
                log.add("train loss", step, loss.item())
                _log_outputs(log, step, outputs, windows)
    finally:  # a cancelled training may keep what it has
        model.classifier.load_state_dict(average.network.state_dict())
        model.eval()


def _draw(scene: TileScene, sampler: LabelSampler, settings: TrainingSettings, random: np.random.Generator) -> Windows:
    corners = sampler.corners(settings.batch, settings.window, random)
    return jitter(turn(scene.cut(corners, settings.window), int(random.integers(8))), settings.jitter, random)


def _ramp(share: float, warm_up: float) -> float:
    """0 during the warm-up, then linear to 1 over as long again."""
    return float(np.clip((share - warm_up) / max(warm_up, 1e-6), 0, 1))


def _log_outputs(log: CurveLog, step: int, outputs: dict[str, BranchOutput], windows: Windows) -> None:
    """Agreement of each branch with the labels, and the class shares of the vote: a collapse shows there first."""
    labelled = windows.labels >= 0
    for name, each in outputs.items():
        hits = each.logits.detach().argmax(dim=1)[labelled] == windows.labels[labelled]
        log.add(f"{name} accuracy", step, hits.float().mean().item())
    chosen = vote(outputs).detach().argmax(dim=1)[windows.valid[:, 0]]
    shares = torch.bincount(chosen, minlength=next(iter(outputs.values())).logits.shape[1]).float()
    for number, share in enumerate((shares / shares.sum().clamp(min=1)).tolist(), start=1):
        log.add(f"class share {number}", step, share)
