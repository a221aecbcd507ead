"""Arrays written piece by piece to .npy files whose length shows only at the end."""

from __future__ import annotations

import errno
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..files.errors import not_written

_HEADER = 256  # bytes, room for any shape


class NpyWriter:
    """Appends entries to an array (N, ...) on disk.

    Args:
        path: the .npy file.
        shape: of one entry.
        dtype: numpy's name of the type.

    Raises FileError where the disk is full or the folder cannot be written to.
    """

    def __init__(self, path: Path, shape: Sequence[int], dtype: str) -> None:
        self.count = 0
        self._path = path
        self._shape = tuple(shape)
        self._dtype = np.dtype(dtype)
        try:
            self._file = open(path, "wb")
            self._file.write(b"\0" * _HEADER)
        except OSError as error:
            raise not_written(path, error) from error

    def append(self, entry: np.ndarray) -> None:
        """Add one entry."""
        if entry.shape != self._shape:
            raise ValueError(f"an entry of shape {entry.shape} where {self._shape} is due")
        try:
            self._file.write(np.ascontiguousarray(entry, self._dtype).data)
        except OSError as error:
            raise not_written(self._path, error) from error
        self.count += 1

    def close(self) -> None:
        """Write the header and close; the file is whole then."""
        shape = (self.count, *self._shape)
        text = repr({"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape})
        header = text.encode("latin1").ljust(_HEADER - 11) + b"\n"
        try:
            self._file.seek(0)
            self._file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
            self._file.close()
        except OSError as error:
            raise not_written(self._path, error) from error


def save_array(path: Path, array: np.ndarray) -> str:
    """Write a whole .npy file and give its path; FileError where that fails."""
    try:
        np.save(path, array)
    except OSError as error:  # numpy's own, of a short write, bears no number and no word for it
        said = error if error.errno else OSError(errno.ENOSPC, "the disk may be full")
        raise not_written(path, said) from error
    return str(path)
