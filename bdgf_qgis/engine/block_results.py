"""The arrays that the worker wrote for a block: read only as what they were asked to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...model.shared.jobs import CERTAIN, NO_CLASS, Block
from .errors import BadAnswer
from .result_arrays import read_array

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
    positions = read_array(block.classes, "uint16", shape, _answer(block))
    confidence = read_array(block.confidence, "float32", shape, _answer(block))
    known = positions != NO_CLASS
    if (positions[known] >= classes).any():
        raise _bad(block, f"class number {positions[known].max()} of {classes}")
    sure = confidence[known]
    if not ((sure >= -_ROUNDING) & (sure <= 1 + _ROUNDING)).all():  # no number is neither
        raise _bad(block, "confidences that are not between 0 and 1")
    if not probabilities:
        return BlockResults(positions, confidence, np.empty((0, *shape), np.uint16))
    shares = read_array(block.probabilities, "uint16", (classes, *shape), _answer(block))
    if (shares[:, known] > CERTAIN).any():
        raise _bad(block, "probabilities above 1")
    return BlockResults(positions, confidence, shares)


def _answer(block: Block) -> str:
    return f"its answer to block {block.number}"


def _bad(block: Block, what: str) -> BadAnswer:
    return BadAnswer(f"{_answer(block)} holds {what}")
