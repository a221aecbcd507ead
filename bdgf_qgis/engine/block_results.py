"""The arrays that the worker wrote for a block: read only as what they were asked to be."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

import numpy as np

from ...model.shared.jobs import CERTAIN, NO_CLASS, Block
from .errors import BadAnswer

_ROUNDING = 1e-3  # by which a confidence may lie beyond 0..1


@dataclass(frozen=True)
class BlockResults:
    """Class positions uint16 (h, w), confidence float32 (h, w), and probabilities uint16 (K, h, w), where they were not
    asked for (0, h, w)."""

    classes: np.ndarray
    confidence: np.ndarray
    probabilities: np.ndarray


def read_results(block: Block, classes: int, probabilities: bool) -> BlockResults:
    """The results of a block for so many classes.

    Raises BadAnswer where a file is missing, holds another kind of array, or values that cannot be.
    """
    shape = (block.height, block.width)
    positions = _read(block, block.classes, "uint16", shape)
    confidence = _read(block, block.confidence, "float32", shape)
    known = positions != NO_CLASS
    if (positions[known] >= classes).any():
        raise _bad(block, f"class number {positions[known].max()} of {classes}")
    sure = confidence[known]
    if not ((sure >= -_ROUNDING) & (sure <= 1 + _ROUNDING)).all():  # no number is neither
        raise _bad(block, "confidences that are not between 0 and 1")
    if not probabilities:
        return BlockResults(positions, confidence, np.empty((0, *shape), np.uint16))
    shares = _read(block, block.probabilities, "uint16", (classes, *shape))
    if (shares[:, known] > CERTAIN).any():
        raise _bad(block, "probabilities above 1")
    return BlockResults(positions, confidence, shares)


def _read(block: Block, path: str, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    name = os.path.basename(path)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise _bad(block, f"{name}, which is no plain file")
        mapped = np.load(path, mmap_mode="r")  # looks at the header alone; never unpickles
        if not isinstance(mapped, np.ndarray) or mapped.dtype != np.dtype(dtype) or mapped.shape != shape:
            found = f"{getattr(mapped, 'dtype', 'no array')} {getattr(mapped, 'shape', '')}".strip()
            raise _bad(block, f"{found} where {dtype} {shape} was asked for in {name}")
        return np.array(mapped)
    except FileNotFoundError as error:
        raise _bad(block, f"no {name}") from error
    except (ValueError, TypeError, EOFError, OverflowError, SyntaxError, UnicodeError) as error:
        raise _bad(block, f"a damaged {name}") from error


def _bad(block: Block, what: str) -> BadAnswer:
    return BadAnswer(f"its answer to block {block.number} holds {what}")
