"""The classifier learns from labelled pixels, its branches from each other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..bdgf import BDGF
from ..data.sampling import LabelSampler, jitter, random_corners, turn
from ..data.tiles import Patches, TileScene
from ..device.choice import mixed_precision
from ..job.progress import Span
from ..network.classifier import BranchOutput, Classifier
from ..shared.settings import TrainingSettings
from .branch_threads import BranchThreads
from .curves import CurveLog
from .ensemble_weights import ProbeFamily, Worth, member_weights, weigh_branches
from .folds import left_out_pixels
from .mutual import MutualLearning
from .probe_fitting import BALANCE
from .weight_average import WeightAverage

RISE = 0.15  # share of a cycle of the learning rate in which it rises
_LOG_EVERY = 11  # steps; a prime, so that patches of every side come up in the curves


def class_weights(counts: np.ndarray, limit: float) -> Tensor:
    """Weight of each class (K,), rarer ones more, none over `limit` times another; mean 1 over the labelled pixels.

    Taken once from the training set, never per patch.
    """
    weights = 1 / np.maximum(counts, 1)
    weights = np.minimum(weights / weights.min(), limit)
    return torch.tensor(weights / (weights * counts).sum() * counts.sum(), dtype=torch.float32)


@dataclass(frozen=True)
class Learner:
    """What a training step needs: the model, the mutual terms, the class weights (K,), and threads for the branches."""

    model: BDGF
    mutual: MutualLearning
    weights: Tensor
    threads: BranchThreads | None = None  # backward() of it follows that of the loss

    def loss(self, patches: Patches, ramp: float, random: torch.Generator) -> tuple[Tensor, dict[str, BranchOutput]]:
        """Sum of the branches' cross-entropies on labelled pixels, and the mutual terms times `ramp` (0 to 1)."""
        assert self.model.classifier is not None
        with mixed_precision(patches.inputs.device):
            guides = self.model.features(patches.inputs, patches.valid, patches.corners)
            seen = (patches.inputs, patches.valid, guides)
            mixed = self.model.classifier(*seen) if self.threads is None else self.threads.forward(*seen, random)
        outputs = {name: BranchOutput(each.features.float(), each.logits.float()) for name, each in mixed.items()}
        smoothing = self.model.settings.training.label_smoothing
        labelled = patches.labels >= 0
        labels = patches.labels[labelled]
        weights = self.weights[labels]
        loss = patches.inputs.new_zeros(())
        for each in outputs.values():
            logits = each.logits.permute(0, 2, 3, 1)[labelled]
            errors = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
            loss = loss + (errors * weights).sum() / weights.sum()
        if ramp > 0:
            counted = patches.valid[:, 0] & ~patches.held
            loss = loss + ramp * self.mutual(outputs, patches.labels, counted, random)
        return loss, outputs


def train_classifier(model: BDGF, scene: TileScene, classes: int, seed: int, span: Span, log: CurveLog) -> None:
    """Trains the model's classifier on the scene's labelled pixels; the model ends with the averaged weights.

    Some polygons are left out at first, to weigh the ensemble's members by; then they join. Raises JobCancelled; the
    weights up to then are in the model.
    """
    settings = model.settings.training
    device = next(model.parameters()).device
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    assert model.classifier is not None
    counts = scene.drawn(scene.training, classes)
    side = max(settings.patch_sizes)
    sample = scene.cut(random_corners(scene, 32, side, random), side).to(device)
    model.classifier.local_mean_difference.fit(sample.inputs, sample.valid)
    probes = ProbeFamily(model, scene, counts, seed)
    branches = len(model.classifier.branches)
    if not branches:
        _train_probes_alone(model, probes.fit(scene.training, span), counts, log)
        return
    is_left_out, parts = left_out_pixels(scene.training, settings.left_out_share, random)
    points, left_out = scene.training[~is_left_out], scene.training[is_left_out]
    scene.set_aside(left_out)
    worth = probes.fit(points, span.still(0))
    model.classifier.pool.set(member_weights(branches, worth.weights))
    _log_weights(log, 0, model.classifier)
    mutual = MutualLearning(
        model.settings.branches.use, model.settings.branches.width, torch.tensor(counts).float(), model.settings.mutual
    ).to(device)
    threads = BranchThreads(model.classifier, torch.get_num_threads()) if device.type == "cpu" else None
    learner = Learner(model, mutual, class_weights(counts, settings.class_weight_limit).to(device), threads)
    sampler = LabelSampler(points, settings.balance, scene.drawn(points, classes))
    average = WeightAverage(model.classifier, settings.ema_decay)
    learned_from = torch.zeros(classes)  # labelled pixels of each class that the branches learned from
    trained = [*model.classifier.parameters(), *mutual.parameters()]
    optimiser = torch.optim.AdamW(trained, settings.learning_rate, weight_decay=settings.weight_decay)
    rejoin_step = min(round(settings.left_out_until * settings.steps), settings.steps - 1) if len(left_out) else 0
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: learning_rate(step, settings.steps, rejoin_step)
    )
    model.classifier.train()
    try:
        for step in span.steps(settings.steps):
            if len(left_out) and step == rejoin_step:
                still = span.still(step / settings.steps)
                with _averaged(model, average):
                    together, sharpness = weigh_branches(model, scene, left_out, counts, parts, worth, still)
                scene.bring_back(left_out)
                sampler = LabelSampler(scene.training, settings.balance, counts)
                worth = probes.fit(scene.training, still)
                model.classifier.pool.set(member_weights(branches, worth.weights, together), sharpness)
                model.classifier.train()
                _log_weights(log, step, model.classifier)
            patches = draw_patches(scene, sampler, settings, step, random).to(device)
            if settings.prior != "learned":
                learned_from += torch.bincount(patches.labels[patches.labels >= 0], minlength=classes).cpu()
            ramp = _ramp(step / settings.steps, model.settings.mutual.warm_up)
            loss, outputs = learner.loss(patches, ramp, generator)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            if threads is not None:
                threads.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            scheduler.step()
            average.update(model.classifier)
            if step % _LOG_EVERY == 0:
                log.add("train loss", step, loss.item())
                _log_outputs(log, step, outputs, patches)
    finally:  # a cancelled training may keep what it has
        model.classifier.load_state_dict(average.network.state_dict())
        _expect_prior(model.classifier, settings.prior, learned_from, counts)
        model.eval()


def _train_probes_alone(model: BDGF, worth: Worth, counts: np.ndarray, log: CurveLog) -> None:
    """An ensemble without branches: probes that have learned from all of `counts` labelled pixels (K,)."""
    assert model.classifier is not None
    model.classifier.pool.set(worth.weights, worth.sharpness)
    _log_weights(log, 0, model.classifier)
    _expect_prior(model.classifier, model.settings.training.prior, torch.from_numpy(counts).float(), counts)
    model.eval()


def _expect_prior(classifier: Classifier, prior: str, learned_from: Tensor, counts: np.ndarray) -> None:
    """Has a classifier expect classes as one of PRIORS says; `counts` are labelled pixels (K,) of each class."""
    if prior != "learned":
        drawn = torch.from_numpy(counts).float().clamp(min=1)
        expect_classes(classifier, torch.ones(len(counts)) if prior == "equal" else drawn, learned_from, drawn)


def expect_classes(classifier: Classifier, expected: Tensor, learned_from: Tensor, drawn: Tensor) -> None:
    """Has a trained classifier expect classes in proportion to `expected` (K,), all three on the CPU.

    Args:
        classifier: trained.
        expected: (K,) how often each class is to be expected.
        learned_from: (K,) labelled pixels of each class that the branches learned from.
        drawn: (K,) labelled pixels of each class; the probes learn from a power of them.
    """
    of_probes = drawn ** (1 - BALANCE)
    learned = torch.stack([of_probes if name in classifier.probes else learned_from for name in classifier.members])
    classifier.prior.expect(expected, learned)


@contextmanager
def _averaged(model: BDGF, average: WeightAverage[Classifier]) -> Iterator[None]:
    """The model with the averaged weights in place of those in training."""
    training, model.classifier = model.classifier, average.network
    try:
        yield
    finally:
        model.classifier = training


def _log_weights(log: CurveLog, step: int, classifier: Classifier) -> None:
    for name, weight in zip(classifier.members, classifier.pool.weights.tolist(), strict=True):
        log.add(f"{name} weight", step, weight)


def learning_rate(step: int, steps: int, rejoin_step: int) -> float:
    """Share of the highest learning rate at a step: up for a while, then down along a cosine; a second time, half as
    high, from `rejoin_step` on, where polygons that were left out join (0: only once)."""
    if step < rejoin_step:
        first, last, height = 0, rejoin_step, 1.0
    else:
        first, last, height = rejoin_step, steps, 0.5 if rejoin_step else 1.0
    passed = (step - first) / max(1, last - first)
    if passed < RISE:
        return height * (0.04 + 0.96 * passed / RISE)
    return height * (1 + math.cos(math.pi * (passed - RISE) / (1 - RISE))) / 2


def draw_patches(
    scene: TileScene, sampler: LabelSampler, settings: TrainingSettings, step: int, random: np.random.Generator
) -> Patches:
    """The patches of a step. Small ones allow many steps and keep distant surroundings from being learned by heart;
    larger ones in between, and a map does not hang on the size of its patches."""
    side = settings.patch_sizes[step % len(settings.patch_sizes)]
    corners = sampler.corners(max(1, settings.batch * settings.patch_sizes[0] ** 2 // side**2), side, random)
    return jitter(turn(scene.cut(corners, side), int(random.integers(8))), settings.jitter, random)


def _ramp(share: float, warm_up: float) -> float:
    """0 during the warm-up, then linear to 1 over as long again."""
    return float(np.clip((share - warm_up) / max(warm_up, 1e-6), 0, 1))


def _log_outputs(log: CurveLog, step: int, outputs: dict[str, BranchOutput], patches: Patches) -> None:
    """Agreement of each branch with the labels, and the class shares of their mean: a collapse shows there first."""
    labelled = patches.labels >= 0
    for name, each in outputs.items():
        hits = each.logits.detach().argmax(dim=1)[labelled] == patches.labels[labelled]
        log.add(f"{name} accuracy", step, hits.float().mean().item())
    mean = torch.stack([each.logits.detach().softmax(dim=1) for each in outputs.values()]).mean(dim=0)
    chosen = mean.argmax(dim=1)[patches.valid[:, 0]]
    shares = torch.bincount(chosen, minlength=next(iter(outputs.values())).logits.shape[1]).float()
    for number, share in enumerate((shares / shares.sum().clamp(min=1)).tolist(), start=1):
        log.add(f"class share {number}", step, share)
