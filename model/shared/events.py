"""What the worker tells QGIS: that it lives, how far it is, what came of a job.

Standard library only and Python 3.9: both processes import this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Union

from .infos import Whole
from .limits import Count, OneOf, Range
from .rebuild import rebuildable

PHASES = ("prepare", "pretrain", "train", "assess", "check", "classify")
MOST_CURVES = 70_000  # one of the class share for every class that a map can have, and those of the training itself


@rebuildable
@dataclass(frozen=True)
class Ready:
    """Libraries are loaded, jobs are read. torch  its version, '' in a worker that does without."""

    python: str
    torch: str


@rebuildable
@dataclass(frozen=True)
class Progress:
    """How far a phase is: 'prepare', 'pretrain', 'train', 'assess', 'check' or 'classify'; fraction of the job 0..1,
    in 'classify' of the block under way (only QGIS knows how many there are), and the text is the device.

    step, steps  optimiser steps of the phase that are done, and how many it has; 0, 0 where it has none
    """

    phase: Annotated[str, OneOf(PHASES)]
    fraction: Annotated[float, Range(0, 1)]
    text: str = ""
    step: Whole = 0
    steps: Whole = 0


@rebuildable
@dataclass(frozen=True)
class Alive:
    """The process lives: told every few seconds while torch loads and while a job is under way.

    moves  rises whenever the job went on; one that waits for QGIS counts as going on
    """

    moves: Whole


@rebuildable
@dataclass(frozen=True)
class Note:
    """A line for the log: level 'info' or 'warning'."""

    level: Annotated[str, OneOf(("info", "warning"))]
    text: str


@rebuildable
@dataclass(frozen=True)
class BlockDone:
    """The results of a block are written where the block says. `pixels` counts classified pixels."""

    number: int
    pixels: Whole


@rebuildable
@dataclass(frozen=True)
class Curve:
    """A series logged in training, for the report: optimiser step against value."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


@rebuildable
@dataclass(frozen=True)
class Pretrained:
    """Pre-training is over and the job's `output` whole."""

    curves: Annotated[tuple[Curve, ...], Count(0, MOST_CURVES)]


@rebuildable
@dataclass(frozen=True)
class Trained:
    """Training is over and the job's `output` whole. confusion: pixels, reference in rows; empty without hold-out."""

    confusion: tuple[tuple[Whole, ...], ...]
    curves: Annotated[tuple[Curve, ...], Count(0, MOST_CURVES)]
    partial: bool = False


@rebuildable
@dataclass(frozen=True)
class Classified:
    """All blocks are done, with so many classified pixels together."""

    pixels: Whole


@rebuildable
@dataclass(frozen=True)
class Grown:
    """The tolerances are written: for the rectangle whose first pixel is at `row` and `column` of the visible ones."""

    row: Whole
    column: Whole


@rebuildable
@dataclass(frozen=True)
class Segmented:
    """The superpixels are written, so many of them."""

    count: Whole


@rebuildable
@dataclass(frozen=True)
class PackageInfo:
    """A package of the worker's Python and its version, '' where it is missing."""

    name: str
    version: str


@rebuildable
@dataclass(frozen=True)
class DeviceInfo:
    """A device that torch sees: 'cpu', 'cuda:0', 'mps'.

    memory, free  bytes, 0 where unknown; capability  of a CUDA card, '9.0'; trouble  why it cannot be used, as far as
    that is known without computing
    """

    device: str
    name: str
    memory: int
    free: int
    capability: str
    trouble: str


@rebuildable
@dataclass(frozen=True)
class KernelCheck:
    """One kind of computation against the same on the CPU in double precision.

    error         largest difference over the largest value; -1 where it did not run
    milliseconds  median of a few runs
    trouble       why it failed, '' where it passed
    needed        whether BDGF cannot do without it
    """

    name: str
    error: float
    milliseconds: float
    trouble: str
    needed: bool = True


@rebuildable
@dataclass(frozen=True)
class Checked:
    """What the worker's Python is and sees, and how the computations went on the device that was asked for.

    build   of torch: 'CUDA 13.0, cuDNN 9.1' or 'CPU only'; driver  of the NVIDIA cards, '' without
    cards   names of NVIDIA cards that the driver lists, whether torch can use them or not
    """

    python: str
    system: str
    torch: str
    build: str
    driver: str
    cards: tuple[str, ...]
    threads: int
    packages: tuple[PackageInfo, ...]
    devices: tuple[DeviceInfo, ...]
    kernels: tuple[KernelCheck, ...]


@rebuildable
@dataclass(frozen=True)
class Cancelled:
    """The job was stopped on request and left nothing."""


@rebuildable
@dataclass(frozen=True)
class Failed:
    """The job failed: a sentence for the map maker, and the reason: 'memory', 'device' (driver, kernel), 'input' (bad
    rasters, samples or model), 'environment' (the worker's Python) or 'internal' (our mistake)."""

    reason: Annotated[str, OneOf(("memory", "device", "input", "environment", "internal"))]
    text: str


Event = Union[
    Ready,
    Alive,
    Progress,
    Note,
    BlockDone,
    Pretrained,
    Trained,
    Classified,
    Checked,
    Grown,
    Segmented,
    Cancelled,
    Failed,
]
