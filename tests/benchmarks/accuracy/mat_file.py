"""Reads MATLAB files: version 5 (and 4, 6, 7) through scipy, version 7.3, which is HDF5, through h5py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

Value = Any  # a numeric array, a dict (struct) or a list (cell array)


class MatFileError(ValueError):
    """The file is no MATLAB file, or is damaged."""


def read_mat(path: Path) -> dict[str, Value]:
    """The variables of a file; arrays have MATLAB's order of axes, without axes of length 1.

    Raises MatFileError where the file cannot be read.
    """
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                return {name: _value(item, file) for name, item in file.items() if not name.startswith("#")}
        found = scipy.io.loadmat(path, simplify_cells=True)
    except (OSError, ValueError, TypeError, NotImplementedError, scipy.io.matlab.MatReadError) as error:
        raise MatFileError(f"{path} cannot be read as a MATLAB file: {error}.") from error
    return {name: _plain(value) for name, value in found.items() if not name.startswith("__")}


def _value(item: Any, file: h5py.File) -> Value:
    if isinstance(item, h5py.Group):
        return {name: _value(member, file) for name, member in item.items()}
    if h5py.check_ref_dtype(item.dtype) is not None:
        return [_value(file[reference], file) for reference in item[()].T.ravel(order="F")]
    if item.attrs.get("MATLAB_empty", 0):
        return np.empty(0, item.dtype)
    return np.asarray(item[()]).T.squeeze()  # HDF5 holds MATLAB's axes the other way round


def _plain(value: Any) -> Value:
    """Cell arrays as lists; scipy gives arrays of objects for some."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [_plain(each) for each in value.ravel(order="F")]
    return [_plain(each) for each in value] if isinstance(value, list) else value
