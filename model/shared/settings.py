"""What can be set in BDGF, as frozen dataclasses, and the presets that analysts choose from.

Standard library only and Python 3.9: QGIS picks the preset, the worker obeys it, the model file keeps it whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Optional

from .limits import Count, OneOf, Range, Text
from .rebuild import rebuildable

MASKING = ("adaptive", "random", "none")
GUIDANCE = ("fusion", "attention", "cross")  # CNN, Mamba, Transformer
PRIORS = ("learned", "drawn", "equal")  # class shares: as met in training, of the drawn pixels, all alike
BRANCHES = ("cnn", "mamba", "transformer")
PROBES = ("score_probe", "band_probe", "diffusion_probe")  # of normal scores, bands with them, features with them
MOST_STEPS = 1_000_000  # of the optimiser; days, on any machine

# Beside each setting stands what it may be: jobs and model files are held to it. The ranges reach well beyond the
# presets, and end where a single patch would not fit a common computer's memory.
Steps = Annotated[int, Range(0, MOST_STEPS)]
Batch = Annotated[int, Range(1, 64)]
Side = Annotated[int, Range(8, 128, 4)]  # of a patch in pixels; the U-Net halves it twice
Rate = Annotated[float, Range(1e-8, 1)]  # of learning
Share = Annotated[float, Range(0, 1)]
Weight = Annotated[float, Range(0, 100)]


@rebuildable
@dataclass(frozen=True)
class DiffusionSettings:
    """The denoising network and its pre-training without labels."""

    width: Annotated[int, Range(4, 128, 4)] = 24
    schedule: Annotated[int, Range(2, 10_000)] = 1000  # diffusion steps T
    steps: Steps = 300  # optimiser steps of pre-training
    batch: Batch = 8
    patch_size: Side = 32  # side of the patches that are drawn, pixels
    learning_rate: Rate = 1e-3
    ema_decay: Share = 0.99  # decay of the running average of the weights
    masking: Annotated[str, OneOf(MASKING)] = "adaptive"
    block: Annotated[int, Range(1, 128)] = 8  # side of a hidden block, pixels
    rate_low: Share = 0.1  # of blocks hidden; "random" masking keeps to the middle of both
    rate_high: Share = 0.6
    rate_step: Share = 0.02
    warm_up: Share = 0.2  # share of the steps before rates move
    measure_every: Annotated[int, Range(1, MOST_STEPS)] = 10  # steps between two measurements of reliance


@rebuildable
@dataclass(frozen=True)
class BranchSettings:
    """The three guided branches."""

    width: Annotated[int, Range(8, 128, 8)] = 32
    depth: Annotated[int, Range(1, 8)] = 2
    use: Annotated[tuple[Annotated[str, OneOf(BRANCHES)], ...], Count(0, 3, distinct=True)] = BRANCHES
    guidance: Annotated[tuple[Annotated[str, OneOf(GUIDANCE)], ...], Count(0, 3, distinct=True)] = GUIDANCE
    # at which the diffusion features are taken
    timesteps: Annotated[tuple[Annotated[int, Range(0, 9_999)], ...], Count(1, 3)] = (50,)
    dropout: Annotated[float, Range(0, 0.9)] = 0.1
    probes: Annotated[tuple[Annotated[str, OneOf(PROBES)], ...], Count(0, len(PROBES), distinct=True)] = PROBES
    fourier_features: Annotated[int, Range(8, 2048)] = 128  # random ones, of each probe
    # sides of the neighbourhoods of local mean differences, odd numbers of pixels; () switches them off
    local_mean_sides: Annotated[tuple[Annotated[int, Range(3, 255)], ...], Count(0, 4)] = (9, 31)


@rebuildable
@dataclass(frozen=True)
class MutualSettings:
    """How the branches teach each other."""

    entropy: Weight = 0.5  # weight of entropy alignment; 0 switches it off
    feature: Weight = 0.1  # weight of feature similarity; 0 switches it off
    warm_up: Share = 0.2  # share of the steps before both are ramped in
    confidence: Share = 0.8  # below it an unlabelled pixel takes no part


@rebuildable
@dataclass(frozen=True)
class TrainingSettings:
    """How the classifier learns from labelled pixels."""

    steps: Steps = 750
    batch: Batch = 16  # patches of the first side; of another as many as hold the same number of pixels
    patch_sizes: Annotated[tuple[Side, ...], Count(1, 4)] = (16, 32)  # sides of the patches in pixels, taken in turn
    ema_decay: Share = 0.98  # decay of the running average of the weights
    balance: Share = 0.5  # 0: classes as often as their pixels, 1: every class equally often
    # deviation of a random gain and offset per patch and channel, in deviations of the channel
    jitter: Annotated[float, Range(0, 10)] = 0.0
    learning_rate: Rate = 5e-3
    weight_decay: Weight = 1e-2
    # between two classes' weights in the loss; 1 leaves balance to the sampling
    class_weight_limit: Annotated[float, Range(1, 1000)] = 1.0
    label_smoothing: Share = 0.05
    prior: Annotated[str, OneOf(PRIORS)] = "learned"  # how often each class is expected in a map, see PRIORS
    left_out_share: Share = 0.25  # share of the polygons that weigh the ensemble's members; 0: none are left out
    left_out_until: Share = 0.6  # share of the steps after which they weigh the members and join the training


@rebuildable
@dataclass(frozen=True)
class Settings:
    """A whole preset: travels in the job and stands in the model file."""

    preset: Annotated[str, Text(50)] = "quick"
    patch_size: Side = 64
    # 48 leaves a seam and lets more pixels change with the lattice; see docs/accuracy.md
    stride: Annotated[int, Range(4, 127)] = 40
    components: Annotated[int, Range(1, 128)] = 32
    inference_batch: Annotated[int, Range(1, 16)] = 4  # of each core; a GPU sizes its own by its free memory
    diffusion: DiffusionSettings = field(default_factory=DiffusionSettings)
    branches: BranchSettings = field(default_factory=BranchSettings)
    mutual: MutualSettings = field(default_factory=MutualSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def contradiction(self) -> str:
        """Which settings do not go together; '' where all do."""
        if not self.stride < self.patch_size <= 2 * self.stride:
            return f"patches of {self.patch_size} pixels cannot be blended at a stride of {self.stride}"
        if max(self.branches.timesteps) >= self.diffusion.schedule:
            return f"features are wanted of diffusion steps beyond {self.diffusion.schedule}"
        if not self.branches.use and not self.branches.probes:
            return "there is neither a branch nor a probe"
        return ""

    def with_steps(self, pretrain: Optional[int], train: Optional[int]) -> Settings:
        """The same preset with other numbers of optimiser steps; None keeps the preset's. A probe alone takes none."""
        diffusion = self.diffusion if pretrain is None else replace(self.diffusion, steps=pretrain)
        training = self.training
        if train is not None and self.branches.use:
            training = replace(training, steps=train)
        return replace(self, diffusion=diffusion, training=training)

    def with_prior(self, prior: str) -> Settings:
        """The same preset with another class prior. Raises ValueError where it is none of PRIORS."""
        if prior not in PRIORS:
            raise ValueError(f"{prior} is no class prior: choose from {', '.join(PRIORS)}.")
        return replace(self, training=replace(self.training, prior=prior))


PRESETS: dict[str, Settings] = {
    "instant": Settings(  # pre-trains as quick does, so that each finds what the other has kept in the cache
        preset="instant",
        patch_size=128,  # without branches so large ones take no more memory, and fewer pixels lie in several
        stride=104,
        inference_batch=1,
        branches=BranchSettings(use=()),
        training=TrainingSettings(steps=0),
    ),
    "quick": Settings(),
    "standard": Settings(
        preset="standard",
        diffusion=DiffusionSettings(width=32, steps=500),
        branches=BranchSettings(width=48),
        training=TrainingSettings(steps=1500, learning_rate=3e-3),
    ),
    "thorough": Settings(
        preset="thorough",
        diffusion=DiffusionSettings(width=48, steps=3000),
        branches=BranchSettings(width=64, depth=3, timesteps=(50, 200)),
        training=TrainingSettings(steps=9000, learning_rate=2e-3),
    ),
}
