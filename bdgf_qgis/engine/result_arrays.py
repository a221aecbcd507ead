"""An array that the worker wrote: read only as what it was asked to be."""

from __future__ import annotations

import os
import stat
from typing import Optional

import numpy as np

from .errors import BadAnswer


def read_array(path: str, dtype: str, shape: tuple[Optional[int], ...], answer: str) -> np.ndarray:
    """The array in a .npy file, of a numpy type and a shape in which None is any number.

    answer  how messages call what holds it: 'its answer to block 3'. Raises BadAnswer where the file is missing, no
    plain file, damaged, or holds another kind of array.
    """
    name = os.path.basename(path)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise BadAnswer(f"{answer} holds {name}, which is no plain file")
        mapped = np.load(path, mmap_mode="r")  # looks at the header alone; never unpickles
        if not isinstance(mapped, np.ndarray) or mapped.dtype != np.dtype(dtype) or not _fits(mapped.shape, shape):
            found = f"{getattr(mapped, 'dtype', 'no array')} {getattr(mapped, 'shape', '')}".strip()
            raise BadAnswer(f"{answer} holds {found} where {dtype} {shape} was asked for in {name}")
        return np.array(mapped)
    except FileNotFoundError as error:
        raise BadAnswer(f"{answer} holds no {name}") from error
    except (ValueError, TypeError, EOFError, OverflowError, SyntaxError, UnicodeError) as error:
        raise BadAnswer(f"{answer} holds a damaged {name}") from error


def _fits(found: tuple[int, ...], shape: tuple[Optional[int], ...]) -> bool:
    return len(found) == len(shape) and all(wanted in (None, side) for side, wanted in zip(found, shape))
