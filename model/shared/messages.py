"""What QGIS and the worker say to each other: plain dataclasses, one JSON object a line.

Standard library only and Python 3.9: both processes import this module. Arrays never travel in a message; a message
names .npy files in the job's folder.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Annotated, Optional, Union, get_args

from .infos import (
    MOST_CLASSES,
    MOST_MODALITIES,
    ClassInfo,
    Digest,
    ModalityInfo,
    SceneInfo,
    Seed,
    TrainingPolygons,
    Version,
)
from .limits import Count, OneOf, Range, Text
from .rebuild import rebuild, rebuildable
from .settings import Settings
from .strict_json import parse

FOLDER_PREFIX = "bdgf-"  # how the name of every temporary folder begins

NO_CLASS = 65_535  # in class positions and in probabilities: no valid pixel
CERTAIN = 65_534  # a probability of 1
PHASES = ("prepare", "pretrain", "train", "assess", "check", "classify")
MOST_CURVES = 70_000  # a share for every class that a map can have, and those of the training itself
_MOST = 2**62  # of pixels, steps and moves: what an index holds

# ---------------------------------------------------------------- what jobs are made of

Modalities = Annotated[tuple[ModalityInfo, ...], Count(1, MOST_MODALITIES)]
Classes = Annotated[tuple[ClassInfo, ...], Count(0, MOST_CLASSES)]


@rebuildable
@dataclass(frozen=True)
class TileFiles:
    """The tiles of a scene that training needs, each pixel copied once.

    The grid is cut into squares of `tile` pixels from its pixel (0, 0); N of them are stored:
    index       int32 (N, 2), row and column of the tile in the lattice of tiles
    modalities  per modality (N, C, tile, tile) in the raster's own type; 0 where invalid or beyond the grid
    valid       bool (N, tile, tile)
    training    int32 (P, 4): pixel row, pixel column in the grid, class position, number of the polygon unit
    held_out    the same for pixels kept for the accuracy figures
    labelled    bool (N, tile, tile), pixels with a label, where training and held_out are but a sample of them
    drawn       labelled pixels for training per class in the whole scene; () where training holds all
    blind       how many of the first tiles were chosen whatever the labels are; None where all were
    """

    tile: int
    index: str
    modalities: tuple[str, ...]
    valid: str
    training: Optional[str] = None
    held_out: Optional[str] = None
    labelled: Optional[str] = None
    drawn: tuple[int, ...] = ()
    blind: Optional[Annotated[int, Range(1, _MOST)]] = None


@rebuildable
@dataclass(frozen=True)
class CacheFolder:
    """A folder for files that can be made again, and how many bytes of them may lie there."""

    path: str
    most_bytes: Annotated[int, Range(1, _MOST)]


# ---------------------------------------------------------------- jobs, from QGIS to the worker


@rebuildable
@dataclass(frozen=True)
class PretrainJob:
    """Learn the diffusion model of a scene without labels and write it to `output`.

    The state of a long pre-training is kept in the file `checkpoint`, from which the same job goes on; QGIS removes it.
    One that was finished is kept in `cache`, None for nowhere, where every job finds it that would learn the same.
    `pretrained_digest` is the SHA-256 of the pre-trained model that QGIS has looked at: another is refused.
    """

    tiles: TileFiles
    modalities: Modalities
    scene: SceneInfo
    settings: Settings
    seed: Seed
    device: str
    output: str
    plugin_version: Version
    pretrained: Optional[str] = None
    checkpoint: str = ""
    pretrained_digest: Digest = ""
    cache: Optional[CacheFolder] = None


@rebuildable
@dataclass(frozen=True)
class TrainJob:
    """Pre-train where no pre-trained model is given, train the classifier, and write the model to `output`.

    `checkpoint`, `cache` and `pretrained_digest` as in PretrainJob.
    """

    tiles: TileFiles
    modalities: Modalities
    scene: SceneInfo
    classes: Classes
    settings: Settings
    seed: Seed
    device: str
    output: str
    plugin_version: Version
    samples_hash: Annotated[str, Text(200)]
    pretrained: Optional[str] = None
    keep_partial: bool = False
    checkpoint: str = ""
    polygons: TrainingPolygons = field(default_factory=TrainingPolygons)
    pretrained_digest: Digest = ""
    cache: Optional[CacheFolder] = None


@rebuildable
@dataclass(frozen=True)
class ClassifyJob:
    """Load a model; blocks follow, then Finish. Modalities of every block are in the model's order.

    `digest` is the SHA-256 of the model file that QGIS has looked at: another is refused.
    """

    model: str
    device: str
    probabilities: bool
    digest: Digest = ""


@rebuildable
@dataclass(frozen=True)
class CheckJob:
    """Try on `device` each kind of computation that the network uses; '' only says what is there."""

    device: str = ""


@rebuildable
@dataclass(frozen=True)
class Block:
    """A rectangle of the grid to classify, with the pixels that its patches need around it.

    row, column, height, width  the rectangle, in grid pixels
    top, left                   grid position of the arrays' first pixel
    modalities                  per modality .npy (C, h, w); beyond the arrays there is no valid pixel
    valid                       .npy bool (h, w)
    output                      begins the paths of the results, .npy files of the rectangle (h, w) and K classes:
    classes                     uint16 (h, w) class positions, 65535 invalid
    confidence                  float32 (h, w), NaN where invalid
    probabilities               uint16 (K, h, w), 65534 = 1, 65535 invalid; where the job asks for them
    """

    number: int
    row: int
    column: int
    height: int
    width: int
    top: int
    left: int
    modalities: tuple[str, ...]
    valid: str
    output: str

    @property
    def classes(self) -> str:
        """Path of the class positions."""
        return f"{self.output}-classes.npy"

    @property
    def confidence(self) -> str:
        """Path of the confidences."""
        return f"{self.output}-confidence.npy"

    @property
    def probabilities(self) -> str:
        """Path of the probabilities."""
        return f"{self.output}-probabilities.npy"


@rebuildable
@dataclass(frozen=True)
class Finish:
    """No more blocks: answer Classified once all are done."""


@rebuildable
@dataclass(frozen=True)
class Cancel:
    """Stop the job under way (with `keep_partial`, write the state reached first)."""


@rebuildable
@dataclass(frozen=True)
class Quit:
    """End the worker; QGIS clears the folder itself. (An end of stdin without it means that QGIS is gone.)"""


# ---------------------------------------------------------------- events, from the worker to QGIS


@rebuildable
@dataclass(frozen=True)
class Ready:
    """torch is loaded, jobs are read."""

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
    step: Annotated[int, Range(0, _MOST)] = 0
    steps: Annotated[int, Range(0, _MOST)] = 0


@rebuildable
@dataclass(frozen=True)
class Alive:
    """The process lives: told every few seconds while torch loads and while a job is under way.

    moves  rises whenever the job went on; one that waits for QGIS counts as going on
    """

    moves: Annotated[int, Range(0, _MOST)]


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
    pixels: Annotated[int, Range(0, _MOST)]


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

    confusion: tuple[tuple[Annotated[int, Range(0, _MOST)], ...], ...]
    curves: Annotated[tuple[Curve, ...], Count(0, MOST_CURVES)]
    partial: bool = False


@rebuildable
@dataclass(frozen=True)
class Classified:
    """All blocks are done, with so many classified pixels together."""

    pixels: Annotated[int, Range(0, _MOST)]


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


Job = Union[PretrainJob, TrainJob, ClassifyJob, CheckJob, Block, Finish, Cancel, Quit]
Event = Union[Ready, Alive, Progress, Note, BlockDone, Pretrained, Trained, Classified, Checked, Cancelled, Failed]
Message = Union[Job, Event]
_TYPES: dict[str, type] = {each.__name__: each for each in (*get_args(Job), *get_args(Event))}


def encode(message: Message) -> str:
    """One line of JSON without its end."""
    return json.dumps({"type": type(message).__name__, **asdict(message)}, ensure_ascii=False)


def decode(line: str) -> Message:
    """The message of one line; ValueError where the line is none, or one of its values is not of its type."""
    data = parse(line)
    kind = _TYPES.get(str(data.pop("type", ""))) if isinstance(data, dict) else None
    if kind is None:
        raise ValueError(f"not a message: {line[:200]}")
    message: Message = rebuild(kind, data)
    return message
