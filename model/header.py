"""The JSON header of a model file, read without torch.

A model is one safetensors file: 8 bytes of little-endian length, a JSON table of tensors, the tensors. The table's
`__metadata__` holds our header as a JSON text under the key `bdgf`. Standard library only and Python 3.9.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any

from .messages import ClassInfo, ModalityInfo, SceneInfo, TrainingPolygons
from .rebuild import rebuild, rebuildable
from .settings import Settings

FORMAT = 4  # 2: the spectral voter and the weights of the vote; 3: the class prior; 4: sides of the training windows
KEY = "bdgf"
_LONGEST = 64 * 1024 * 1024  # bytes of a table that is still believed


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

    format: int
    kind: str
    plugin_version: str
    modalities: tuple[ModalityInfo, ...]
    scene: SceneInfo
    classes: tuple[ClassInfo, ...]
    settings: Settings
    seed: int
    samples_hash: str
    confusion: tuple[tuple[int, ...], ...]
    ranges: tuple[tuple[tuple[float, float], ...], ...]  # per modality and band: the range seen in training
    polygons: TrainingPolygons = field(default_factory=TrainingPolygons)


def to_text(header: Header) -> str:
    """The header as it stands in the file."""
    return json.dumps(asdict(header), ensure_ascii=False)


def read_header(path: str) -> Header:
    """The header of a model file.

    Raises ModelFileError where the file is missing, damaged, cut short, of another format version or no BDGF model.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            table, start = _table(file, size, path)
    except OSError as error:
        raise ModelFileError(f"The model file {path} cannot be read: {error.strerror}.") from error
    _check_extent(table, size - start, path)
    metadata = table.get("__metadata__")
    text = metadata.get(KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ModelFileError(f"{path} is a safetensors file, but not a BDGF model: choose a file that Train wrote.")
    return _parse(text, path)


def _table(file: Any, size: int, path: str) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or not 2 <= length <= min(_LONGEST, size - 8):
        raise ModelFileError(f"{path} is not a BDGF model, or it is damaged: its safetensors header cannot be read.")
    try:
        table = json.loads(file.read(length).decode("utf-8"))
    except ValueError as error:
        raise ModelFileError(f"The model file {path} is damaged: its header is not valid JSON.") from error
    if not isinstance(table, dict):
        raise ModelFileError(f"The model file {path} is damaged: its header is not a table.")
    return table, 8 + length


def _check_extent(table: dict[str, Any], bytes_left: int, path: str) -> None:
    try:
        ends = [int(entry["data_offsets"][1]) for name, entry in table.items() if name != "__metadata__"]
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ModelFileError(f"The model file {path} is damaged: its table of tensors is broken.") from error
    if max(ends, default=0) != bytes_left:
        raise ModelFileError(
            f"The model file {path} is damaged: {bytes_left} bytes of weights where {max(ends, default=0)} were "
            "expected. Copy it again, or train it anew."
        )


def _parse(text: str, path: str) -> Header:
    try:
        data = json.loads(text)
        version = data["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"The model file {path} is damaged: its BDGF header cannot be read.") from error
    if version != FORMAT:
        raise ModelFileError(
            f"The model file {path} has format version {version}; this plugin reads version {FORMAT}. "
            "Train the model again, or use the plugin version that wrote it."
        )
    try:
        header: Header = rebuild(Header, data)
    except (ValueError, TypeError) as error:
        raise ModelFileError(f"The model file {path} is damaged: {error}.") from error
    return header
