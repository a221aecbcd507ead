"""The JSON header of a model file, read without torch.

A model is one safetensors file, in whose table our header stands as a JSON text under the key `bdgf`. Every field is
held to its type and to the range stated beside it, then the fields to each other. Standard library only and Python 3.9.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Annotated

from .infos import (
    MOST_CLASSES,
    MOST_MODALITIES,
    Classes,
    Modalities,
    Pixels,
    SceneInfo,
    Seed,
    TrainingPolygons,
    Version,
)
from .limits import Count, OneOf, Range, Text
from .rebuild import rebuild, rebuildable
from .settings import Settings
from .strict_json import parse
from .tensor_file import TensorFileError, TensorTable, read_table, read_whole

# 2: the probe and the weights of the ensemble; 3: the class prior; 4: sides of the training patches; 5: the header
# is held to types and ranges
FORMAT = 5
KEY = "bdgf"

_BandValue = Annotated[float, Range(-3.5e38, 3.5e38)]  # what the network computes with
_BandRange = tuple[_BandValue, _BandValue]
_ConfusionRow = Annotated[tuple[Pixels, ...], Count(0, MOST_CLASSES)]


class ModelFileError(ValueError):
    """The file is no usable BDGF model; the text says why and what was expected."""


@rebuildable
@dataclass(frozen=True)
class Header:
    """What a model file says of itself.

    kind      'pretrained' (diffusion only) or 'classifier'
    classes   in the order of the network's outputs; empty for 'pretrained'
    confusion pixels of the held-out polygons, reference in rows; empty without hold-out
    """

    format: Annotated[int, Range(1, 1000)]
    kind: Annotated[str, OneOf(("classifier", "pretrained"))]
    plugin_version: Version
    modalities: Modalities
    scene: SceneInfo
    classes: Classes
    settings: Settings
    seed: Seed
    samples_hash: Annotated[str, Text(200)]
    confusion: Annotated[tuple[_ConfusionRow, ...], Count(0, MOST_CLASSES)]
    # per modality and band: the range seen in training
    ranges: Annotated[tuple[Annotated[tuple[_BandRange, ...], Count(1, 65_536)], ...], Count(1, MOST_MODALITIES)]
    polygons: TrainingPolygons = field(default_factory=TrainingPolygons)


@dataclass(frozen=True)
class ModelFile:
    """A model file as it was at one moment: where it lies, its header, and the SHA-256 of its content."""

    path: str
    header: Header
    digest: str


def to_text(header: Header) -> str:
    """The header as it stands in the file."""
    return json.dumps(asdict(header), ensure_ascii=False)


def read_header(path: str) -> Header:
    """The header of a model file.

    Raises ModelFileError where the file is missing, damaged, cut short, of another format version or no BDGF model.
    """
    try:
        return _header(read_table(path), path)
    except TensorFileError as error:
        raise ModelFileError(f"The model file {path} {error}.") from error


def read_model_file(path: str) -> ModelFile:
    """The header and the hash of one content, by which the worker knows the file again. Raises as read_header()."""
    return checked_content(path)[0]


def checked_content(path: str) -> tuple[ModelFile, TensorTable, bytes]:
    """The header, the table and the whole content of a model file, read at once. Raises as read_header()."""
    try:
        table, content = read_whole(path)
    except TensorFileError as error:
        raise ModelFileError(f"The model file {path} {error}.") from error
    return ModelFile(path, _header(table, path), hashlib.sha256(content).hexdigest()), table, content


def _header(table: TensorTable, path: str) -> Header:
    if KEY not in table.texts:
        raise ModelFileError(f"{path} is a safetensors file, but not a BDGF model: choose a file that Train wrote.")
    try:
        data = parse(table.texts[KEY])
    except ValueError as error:
        raise ModelFileError(f"The model file {path} is damaged: its BDGF header cannot be read ({error}).") from error
    version = data.get("format") if isinstance(data, dict) else None
    if type(version) is not int:
        raise ModelFileError(f"The model file {path} is damaged: its BDGF header cannot be read (no format version).")
    if version != FORMAT:
        raise ModelFileError(
            f"The model file {path} has format version {version}; this plugin reads version {FORMAT}. "
            "Train the model again, or use the plugin version that wrote it."
        )
    try:
        header: Header = rebuild(Header, data)
    except ValueError as error:
        raise ModelFileError(f"The model file {path} is damaged: in its header {error}.") from error
    for contradiction in _contradictions(header):
        raise ModelFileError(f"The model file {path} is damaged: in its header {contradiction}.")
    return header


def _contradictions(header: Header) -> Iterator[str]:
    """What in a header does not go together."""
    count = len(header.classes)
    if (header.kind == "classifier") != (count > 0):
        yield f"there are {count} classes in a model of the kind {header.kind}"
    if len({each.code for each in header.classes}) < count:
        yield "two classes have one code"
    if header.confusion and [len(row) for row in header.confusion] != [count] * count:
        yield f"the confusion matrix is not of {count} classes"
    if [len(each) for each in header.ranges] != [len(each.bands) for each in header.modalities]:
        yield "there is not one range a band"
    if any(low > high for each in header.ranges for low, high in each):
        yield "a range ends before it begins"
    if header.settings.contradiction():
        yield header.settings.contradiction()
