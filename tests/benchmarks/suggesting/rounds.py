"""Rounds of labelling on a scene: ten pixels a class, a map, and further pixels that a rule or chance picks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack
from bdgf.bdgf_qgis.raster.samples.candidates import POWER, CandidateDraw
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon, shapes_of
from bdgf.bdgf_qgis.raster.samples.suggestions import suggest
from bdgf.bdgf_qgis.raster.samples.uncertainty import UncertainMap
from bdgf.tests.benchmarks.accuracy.draws import hold_out, scarce, square
from bdgf.tests.benchmarks.accuracy.figures import Reference, compared, reference_of
from bdgf.tests.benchmarks.accuracy.scene import Samples
from bdgf.tests.benchmarks.suggesting.mapper import Mapped, Mapper

START, ADDED = "10px", 30
RANDOM = "random"
RULE = f"power {POWER:g}"  # what bdgf:suggestsamples does
CHOICES = (RANDOM, "power 0", "power 1", "power 2", "power 4", "power 8", "power 1e6")  # the last: the extreme tail


@dataclass(frozen=True)
class Round:
    """Overall and average accuracy of the map after a choice; '' is the map before any."""

    draw: int
    choice: str
    overall: float
    average: float


def rounds(
    stack: ModalityStack,
    training: Samples,
    validation: Samples | None,
    draw: int,
    choices: Sequence[str],
    mapper: Mapper,
) -> Iterator[Round]:
    """One draw: the map of its first pixels, and that of every choice from the same pixels.

    validation  what is measured with; None holds polygons of the training out
    """
    pool, measured = hold_out(training, draw) if validation is None else (training, validation)
    reference, ground = reference_of(stack, measured), reference_of(stack, pool)
    start = scarce(pool, START, draw, stack)
    known = reference_of(stack, start)
    free = np.zeros((stack.grid.height, stack.grid.width), np.int64)
    free[ground.rows, ground.columns] = ground.codes
    free[known.rows, known.columns] = 0
    with mapper.mapped(stack, start) as mapped:
        yield _measured(draw, "", mapped, reference)
        found = {choice: _chosen(choice, mapped, free, start, stack, draw) for choice in choices}
    for choice, pixels in found.items():
        with mapper.mapped(stack, _with(start, pixels, free, ground, stack)) as mapped:
            yield _measured(draw, choice, mapped, reference)


def _measured(draw: int, choice: str, mapped: Mapped, reference: Reference) -> Round:
    figures = compared(reference, mapped.codes[reference.rows, reference.columns], None)
    return Round(draw, choice, figures.overall, figures.average)


def _chosen(
    choice: str, mapped: Mapped, free: np.ndarray, start: Samples, stack: ModalityStack, draw: int
) -> list[tuple[int, int]]:
    """Rows and columns of labelled pixels that are picked to be labelled next."""
    if choice == RANDOM:
        places = np.flatnonzero(free)
        picked = np.random.default_rng([draw, ADDED]).choice(places, ADDED, replace=False)
        return [(int(place) // free.shape[1], int(place) % free.shape[1]) for place in picked]
    selection = CandidateDraw(max(1000, 20 * ADDED), draw, float(choice.split()[1]))
    with closing(UncertainMap(mapped.classification, None, mapped.probabilities)) as pixels:
        for part in pixels.windows(stack.grid.window):
            block = pixels.read(part)
            selection.take(block, free[part.slices_in(stack.grid.window)].ravel()[block.place] > 0)
    drawn = shapes_of(start.polygons, start.crs_wkt, stack.grid).shapes
    found = suggest(selection.classes(), ADDED, stack.grid, None, drawn)
    return [(point.row, point.column) for point in found.points]


def _with(
    start: Samples, pixels: Sequence[tuple[int, int]], free: np.ndarray, ground: Reference, stack: ModalityStack
) -> Samples:
    """The samples with pixels more, each a square with its true class."""
    added = [
        Polygon(len(start.polygons) + number, square(stack.grid.transform, row, column), int(free[row, column]), name)
        for number, (row, column) in enumerate(pixels, 1)
        for name in [ground.names[int(free[row, column])]]
    ]
    return Samples((*start.polygons, *added), start.crs_wkt)
