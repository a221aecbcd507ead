"""Rounds of labelling on a scene: ten pixels a class, a map, and further pixels that a rule or chance picks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bdgf.bdgf_qgis.raster.grid import Window
from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack
from bdgf.bdgf_qgis.raster.samples.candidates import POWER, CandidateDraw
from bdgf.bdgf_qgis.raster.samples.shapes import shapes_of
from bdgf.bdgf_qgis.raster.samples.suggestions import suggest
from bdgf.bdgf_qgis.raster.samples.uncertainty import UncertainBlock
from bdgf.tests.benchmarks.accuracy.draws import scarce
from bdgf.tests.benchmarks.accuracy.figures import reference_of
from bdgf.tests.benchmarks.accuracy.scene import Samples
from bdgf.tests.benchmarks.suggesting.pixel_maps import PixelMaps

START, ADDED = "10px", 30
BEFORE, RANDOM = "before", "random"
RULE = f"power {POWER:g}"  # what bdgf:suggestsamples does
CHOICES = (RANDOM, "power 0", "power 1", "power 2", "power 4", "power 8", "power 1e6")  # the last: the extreme tail


@dataclass(frozen=True)
class Round:
    """Overall and average accuracy of the map after a choice; BEFORE is the map before any."""

    draw: int
    choice: str
    overall: float
    average: float


def rounds(
    stack: ModalityStack, maps: PixelMaps, pool: Samples, measured: Samples, draw: int, choices: Sequence[str]
) -> Iterator[Round]:
    """One draw: the map of its first pixels, and that of every choice from the same pixels.

    pool      polygons whose pixels may be labelled
    measured  those that the accuracies come from
    """
    known = scarce(pool, START, draw, stack)
    start, ground, reference = (_numbers(stack, maps, samples) for samples in (known, pool, measured))
    free = np.setdiff1d(ground, start)
    probabilities = maps.probabilities(start)
    yield _measured(draw, BEFORE, probabilities, maps, reference)
    drawn = shapes_of(known.polygons, known.crs_wkt, stack.grid).shapes
    for choice in choices:
        if choice == RANDOM:
            added = np.random.default_rng([draw, ADDED]).choice(free, ADDED, replace=False)
        else:
            selection = CandidateDraw(max(1000, 20 * ADDED), draw, float(choice.split()[1]))
            selection.take(_block(maps, free, probabilities), np.ones(len(free), bool))
            found = suggest(selection.classes(), ADDED, stack.grid, None, drawn).points
            added = maps.numbers(*np.array([(point.row, point.column) for point in found]).T)
        yield _measured(draw, choice, maps.probabilities(np.concatenate([start, added])), maps, reference)


def _numbers(stack: ModalityStack, maps: PixelMaps, samples: Samples) -> np.ndarray:
    found = reference_of(stack, samples)
    return maps.numbers(found.rows, found.columns)


def _block(maps: PixelMaps, some: np.ndarray, probabilities: np.ndarray) -> UncertainBlock:
    """Pixels of some numbers as the map's one block: class, margin and second class."""
    place = maps.rows[some].astype(np.int64) * maps.shape[1] + maps.columns[some]
    order = np.argsort(place)
    shares = probabilities[some[order]]
    ranked, ordered = np.argsort(shares, axis=1), np.sort(shares, axis=1)
    margin = (1 - (ordered[:, -1] - ordered[:, -2])).astype(np.float32)
    return UncertainBlock(Window(0, 0, *maps.shape), place[order], ranked[:, -1], margin, ranked[:, -2])


def _measured(draw: int, choice: str, probabilities: np.ndarray, maps: PixelMaps, reference: np.ndarray) -> Round:
    true = maps.positions[reference]
    hits = probabilities[reference].argmax(axis=1) == true
    recalls = [float(hits[true == position].mean()) for position in np.unique(true)]
    return Round(draw, choice, float(hits.mean()), float(np.mean(recalls)))
