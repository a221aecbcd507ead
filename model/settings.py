"""What can be set in BDGF, as frozen dataclasses, and the presets that analysts choose from.

Standard library only and Python 3.9: QGIS picks the preset, the worker obeys it, the model file keeps it whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Optional

from .rebuild import rebuildable

MASKING = ("adaptive", "random", "none")
GUIDANCE = ("fusion", "attention", "cross")  # CNN, Mamba, Transformer
PRIORS = ("learned", "drawn", "equal")  # class shares: as met in training, of the drawn pixels, all alike
BRANCHES = ("cnn", "mamba", "transformer")


@rebuildable
@dataclass(frozen=True)
class DiffusionSettings:
    """The denoising network and its pre-training without labels."""

    width: int = 24
    schedule: int = 1000  # diffusion steps T
    steps: int = 300  # optimiser steps of pre-training
    batch: int = 8
    window: int = 32  # side of the windows that are drawn, pixels
    learning_rate: float = 1e-3
    average: float = 0.99  # decay of the running average of the weights
    masking: str = "adaptive"
    block: int = 8  # side of a hidden block, pixels
    rate_low: float = 0.1  # of blocks hidden; "random" masking keeps to the middle of both
    rate_high: float = 0.6
    rate_step: float = 0.02
    warm_up: float = 0.2  # share of the steps before rates move
    measure_every: int = 10  # steps between two measurements of reliance


@rebuildable
@dataclass(frozen=True)
class BranchSettings:
    """The three guided branches."""

    width: int = 32
    depth: int = 2
    use: tuple[str, ...] = BRANCHES
    guidance: tuple[str, ...] = GUIDANCE
    timesteps: tuple[int, ...] = (50,)  # at which the diffusion features are taken
    dropout: float = 0.1
    spectral: bool = True  # whether each pixel by itself votes beside the branches
    relief: tuple[int, ...] = (9, 31)  # sides of the neighbourhoods of local relief, pixels; () switches it off


@rebuildable
@dataclass(frozen=True)
class MutualSettings:
    """How the branches teach each other."""

    entropy: float = 0.5  # weight of entropy alignment; 0 switches it off
    feature: float = 0.1  # weight of feature similarity; 0 switches it off
    warm_up: float = 0.2  # share of the steps before both are ramped in
    confidence: float = 0.8  # below it an unlabelled pixel takes no part


@rebuildable
@dataclass(frozen=True)
class TrainingSettings:
    """How the classifier learns from labelled pixels."""

    steps: int = 750
    batch: int = 16  # windows of the first side; of another as many as hold the same number of pixels
    windows: tuple[int, ...] = (16, 32)  # sides of the windows in pixels, taken in turn
    average: float = 0.98  # decay of the running average of the weights
    balance: float = 0.5  # 0: classes as often as their pixels, 1: every class equally often
    jitter: float = 0.0  # deviation of a random gain and offset per window and channel, in deviations of the channel
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    class_weight_limit: float = 1.0  # between two classes' weights in the loss; 1 leaves balance to the sampling
    label_smoothing: float = 0.05
    prior: str = "learned"  # how often each class is expected in a map, see PRIORS
    calibrate: float = 0.25  # share of the polygons that the vote is weighed by; 0: it is not weighed
    calibrate_at: float = 0.6  # share of the steps after which it is weighed, and those polygons join the training


@rebuildable
@dataclass(frozen=True)
class Settings:
    """A whole preset: travels in the job and stands in the model file."""

    preset: str = "quick"
    window: int = 64
    stride: int = 40  # 48 leaves a seam and lets more pixels change with the lattice; see docs/accuracy.md
    components: int = 32
    inference_batch: int = 4  # of each core; a GPU sizes its own by its free memory
    diffusion: DiffusionSettings = field(default_factory=DiffusionSettings)
    branches: BranchSettings = field(default_factory=BranchSettings)
    mutual: MutualSettings = field(default_factory=MutualSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def with_steps(self, pretrain: Optional[int], train: Optional[int]) -> Settings:
        """The same preset with other numbers of optimiser steps; None keeps the preset's."""
        diffusion = self.diffusion if pretrain is None else replace(self.diffusion, steps=pretrain)
        training = self.training if train is None else replace(self.training, steps=train)
        return replace(self, diffusion=diffusion, training=training)

    def with_prior(self, prior: str) -> Settings:
        """The same preset with another class prior. Raises ValueError where it is none of PRIORS."""
        if prior not in PRIORS:
            raise ValueError(f"{prior} is no class prior: choose from {', '.join(PRIORS)}.")
        return replace(self, training=replace(self.training, prior=prior))


PRESETS: dict[str, Settings] = {
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
