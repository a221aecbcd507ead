"""What QGIS asks of the worker: jobs, blocks of a map, Cancel. They name .npy files, in which all arrays travel.

Standard library only and Python 3.9: both processes import this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Optional, Union

from .infos import MOST_MODALITIES, MOST_WHOLE, Classes, Digest, Modalities, SceneInfo, Seed, TrainingPolygons, Version
from .limits import Count, OneOf, Range, Text
from .rebuild import rebuildable
from .settings import Settings

NO_CLASS = 65_535  # in class positions and in probabilities: no valid pixel
CERTAIN = 65_534  # a probability of 1
SMALLEST_SCALE, LARGEST_SCALE = 3, 500  # sides of superpixels, pixels


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
    blind: Optional[Annotated[int, Range(1, MOST_WHOLE)]] = None


@rebuildable
@dataclass(frozen=True)
class CacheFolder:
    """A folder for files that can be made again, and how many bytes of them may lie there."""

    path: str
    most_bytes: Annotated[int, Range(1, MOST_WHOLE)]


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
class VisiblePixels:
    """The pixels on which regions are found: those of the visible extent, at the resolution of the screen.

    modalities  per modality .npy (C, h, w) in a type of its own; 0 where invalid
    valid       .npy bool (h, w)
    """

    modalities: Annotated[tuple[str, ...], Count(1, MOST_MODALITIES)]
    valid: str


Weights = Annotated[tuple[Annotated[float, Range(0, 1000)], ...], Count(0, MOST_MODALITIES)]  # () weighs all alike


@rebuildable
@dataclass(frozen=True)
class GrowJob:
    """Find at which tolerance each pixel joins the region that grows from the pixel at `row` and `column`.

    largest  pixels that the region may have; what would join it later is left out
    output   .npy float32 (h, w) of tolerances, written for the rectangle that Grown names; infinite where left out
    """

    pixels: VisiblePixels
    weights: Weights
    row: Annotated[int, Range(0, MOST_WHOLE)]
    column: Annotated[int, Range(0, MOST_WHOLE)]
    largest: Annotated[int, Range(1, MOST_WHOLE)]
    output: str


@rebuildable
@dataclass(frozen=True)
class SegmentJob:
    """Cut the visible pixels into superpixels.

    scale   side in pixels of a square as large as a superpixel is to be, about
    output  .npy int32 (h, w) of numbers from 0, -1 where invalid
    """

    pixels: VisiblePixels
    weights: Weights
    method: Annotated[str, OneOf(("slic", "felzenszwalb"))]
    scale: Annotated[int, Range(SMALLEST_SCALE, LARGEST_SCALE)]
    output: str


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


WorkJob = Union[PretrainJob, TrainJob, ClassifyJob, CheckJob, GrowJob, SegmentJob]
Job = Union[WorkJob, Block, Finish, Cancel, Quit]
