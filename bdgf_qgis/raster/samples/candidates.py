"""Pixels of a map that may become samples: of each class a bounded draw, the uncertain ones with more chance.

Where only the most uncertain pixels are taken, they are of one kind: borders, mixed pixels, wrong labels. A draw in
which a pixel's chance is a power of its uncertainty keeps to the uncertain part of a class and still spreads over it
(stochastic batch acquisition: Kirsch et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import RasterError
from .uncertainty import UncertainBlock

POWER = 2.0  # of the uncertainty in a pixel's chance; 0 draws at random, a high one the most uncertain pixels alone
_LEAST_UNCERTAINTY = 1e-6
_MOST_CLASSES = 1_000  # of a map that is still believed to hold classes
_MOST = 1_000_000  # candidates of all classes together
_FIELDS = [
    ("key", np.float64),
    ("code", np.int64),
    ("second", np.int64),
    ("row", np.int32),
    ("column", np.int32),
    ("uncertainty", np.float32),
]


@dataclass(frozen=True, eq=False)
class ClassCandidates:
    """Pixels of one class, in the order in which they were drawn.

    pixels      how many the class has in all
    candidates  fields code, second, row, column, uncertainty, key
    """

    pixels: int
    candidates: np.ndarray


class CandidateDraw:
    """Draws without replacement while a map passes by, in memory that does not hang on its size.

    A pixel's key is the logarithm of its chance and a Gumbel deviate; the highest keys of a class are a draw in the
    order of the keys (Vieira 2014; the reservoir of Efraimidis and Spirakis 2006). The deviates hang on seed and window
    alone.

    Args:
        most: candidates a class; fewer where there are very many classes.
        seed: of the deviates.
        power: of the uncertainty in a pixel's chance.
        name: of the class raster, for messages.
    """

    def __init__(self, most: int, seed: int, power: float = POWER, name: str = "") -> None:
        self._most = most
        self._seed = seed
        self._power = power
        self._name = name
        self._pixels: dict[int, int] = {}
        self._kept: dict[int, np.ndarray] = {}

    def take(self, block: UncertainBlock, eligible: np.ndarray) -> None:
        """Draw from a block.

        eligible  bool (N,), the pixels of the block that may become samples

        Raises RasterError where the map holds more different values than there are classes in any.
        """
        window = block.window
        random = np.random.default_rng([self._seed, window.row, window.column])
        deviates = -np.log(random.standard_exponential(window.pixels))[block.place[eligible]]
        codes, uncertainty = block.codes[eligible], block.uncertainty[eligible]
        keys = deviates + self._power * np.log(np.maximum(uncertainty, _LEAST_UNCERTAINTY))
        classes, number, counts = np.unique(codes, return_inverse=True, return_counts=True)
        for code, count in zip(classes.tolist(), counts.tolist()):
            self._pixels[code] = self._pixels.get(code, 0) + count
        if len(self._pixels) > _MOST_CLASSES:
            raise RasterError(f"'{self._name}' holds more than {_MOST_CLASSES:,} different values: choose a class map.")
        least = np.array([self._least(code) for code in classes.tolist()])
        ahead = np.flatnonzero(keys > least[number]) if len(keys) else np.empty(0, np.int64)
        found = np.empty(len(ahead), _FIELDS)
        found["key"], found["code"], found["uncertainty"] = keys[ahead], codes[ahead], uncertainty[ahead]
        found["second"] = block.second[eligible][ahead]
        found["row"], found["column"] = np.divmod(block.place[eligible][ahead], window.width)
        found["row"] += window.row
        found["column"] += window.column
        order = np.argsort(number[ahead], kind="stable")
        parts = np.split(found[order], np.searchsorted(number[ahead][order], np.arange(1, len(classes))))
        for code, part in zip(classes.tolist(), parts):
            if len(part):
                self._keep(code, part)

    def classes(self) -> dict[int, ClassCandidates]:
        """What was drawn, by class code."""
        return {
            code: ClassCandidates(self._pixels[code], kept[np.argsort(-kept["key"], kind="stable")])
            for code, kept in sorted(self._kept.items())
        }

    @property
    def _room(self) -> int:
        return max(1, min(self._most, _MOST // max(1, len(self._pixels))))

    def _least(self, code: int) -> float:
        """The key that a further candidate of a class has to exceed."""
        kept = self._kept.get(code)
        return -np.inf if kept is None or len(kept) < self._room else float(kept["key"].min())

    def _keep(self, code: int, part: np.ndarray) -> None:
        kept = np.concatenate([self._kept[code], part]) if code in self._kept else part
        room = self._room
        if len(kept) > room:
            kept = kept[np.argpartition(-kept["key"], room - 1)[:room]]
        self._kept[code] = kept
