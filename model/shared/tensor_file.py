"""A safetensors file, opened and looked through without torch.

It is 8 bytes of little-endian length, a JSON table of tensors, in whose `__metadata__` texts stand, and the tensors.

Nothing of it is believed before it is checked. Standard library only and Python 3.9: both processes import this module.
"""

from __future__ import annotations

import math
import os
import stat
from dataclasses import dataclass
from typing import Annotated, Any

from .limits import Count, OneOf, Range
from .rebuild import rebuild, rebuildable
from .strict_json import parse

MOST_BYTES = 256 * 1024 * 1024  # of a file; a model of the largest preset takes a few MiB
_MOST_TABLE = 8 * 1024 * 1024  # bytes of a table
_MOST_TENSORS = 2000
_METADATA = "__metadata__"
_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64"), 8),
}
_FORMS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
_Place = Annotated[int, Range(0, MOST_BYTES)]


class TensorFileError(ValueError):
    """No usable tensor file; the text goes on after the file's name: 'is damaged: ...'."""


@rebuildable
@dataclass(frozen=True)
class TensorInfo:
    """A tensor in the table: numeric type as safetensors names it, shape, and where its bytes begin and end."""

    dtype: Annotated[str, OneOf(tuple(_BYTES))]
    shape: Annotated[tuple[_Place, ...], Count(0, 8)]
    data_offsets: tuple[_Place, _Place]


@dataclass(frozen=True)
class TensorTable:
    """What a file says of itself: texts, and tensors by name."""

    texts: dict[str, str]
    tensors: dict[str, TensorInfo]


def read_table(path: str) -> TensorTable:
    """The file's table, without the tensors.

    Raises TensorFileError where the file is missing, no regular one, too large, damaged or no safetensors file.
    """
    head, size = _read(path, 8 + _MOST_TABLE)
    return _table(head, size)


def read_whole(path: str) -> tuple[TensorTable, bytes]:
    """The table and the whole content, read at once, so that both are of the same file. Raises as read_table()."""
    content, size = _read(path, MOST_BYTES)
    return _table(content, size), content


def _read(path: str, most: int) -> tuple[bytes, int]:
    """The first bytes of a regular file of bounded size, and its size. Never waits, as opening a pipe would."""
    try:
        _check_form(os.stat(path))  # before it is opened: with some devices that alone does something
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:
            found = os.fstat(handle)
            _check_form(found)
            if found.st_size > MOST_BYTES:
                raise TensorFileError(
                    f"is no BDGF model: it holds {found.st_size:,} bytes, and no model holds more than {MOST_BYTES:,}"
                )
            return file.read(most), found.st_size
    except OSError as error:
        raise TensorFileError(f"cannot be read: {error.strerror}") from error
    except TensorFileError:
        raise
    except ValueError as error:  # a name that no file can have
        raise TensorFileError("cannot be read: no file can have this name") from error


def _check_form(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        form = _FORMS.get(stat.S_IFMT(found.st_mode), "a device")
        raise TensorFileError(f"cannot be read: it is {form}, not a file")


def _table(head: bytes, size: int) -> TensorTable:
    length = int.from_bytes(head[:8], "little")
    if size < 8 or not 2 <= length <= min(_MOST_TABLE, size - 8):
        raise TensorFileError("is not a BDGF model, or it is damaged: its safetensors header cannot be read")
    try:
        data = parse(head[8 : 8 + length].decode("utf-8"))
    except ValueError as error:
        raise TensorFileError("is damaged: its header is not valid JSON") from error
    if not isinstance(data, dict):
        raise TensorFileError("is damaged: its header is not a table")
    texts = data.pop(_METADATA, None) or {}
    if not isinstance(texts, dict) or not all(isinstance(each, str) for each in texts.values()):
        raise TensorFileError("is damaged: its header holds texts that are none")
    if len(data) > _MOST_TENSORS:
        raise TensorFileError(f"is damaged: it holds {len(data):,} tensors, where no model has over {_MOST_TENSORS:,}")
    tensors = {name: _tensor(name, each) for name, each in data.items()}
    _check_extent(tensors, size - 8 - length)
    return TensorTable(texts, tensors)


def _tensor(name: str, data: Any) -> TensorInfo:
    try:
        info: TensorInfo = rebuild(TensorInfo, data, "the tensor")
    except ValueError as error:
        raise TensorFileError(f"is damaged: its table of tensors is broken ({error})") from error
    first, last = info.data_offsets
    if math.prod(info.shape) * _BYTES[info.dtype] != last - first:
        raise TensorFileError("is damaged: its table of tensors is broken (a shape and its bytes do not agree)")
    return info


def _check_extent(tensors: dict[str, TensorInfo], bytes_left: int) -> None:
    end = 0
    for first, last in sorted(each.data_offsets for each in tensors.values()):
        if first != end:
            raise TensorFileError("is damaged: its table of tensors is broken (tensors overlap, or leave gaps)")
        end = last
    if end != bytes_left:
        raise TensorFileError(
            f"is damaged: {bytes_left} bytes of weights where {end} were expected. Copy it again, or train it anew"
        )
