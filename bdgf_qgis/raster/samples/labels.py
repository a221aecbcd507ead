"""Labelled pixels from drawn polygons, with their classes and the split into training and held-out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..grid import Window
from ..reading.stack import ModalityStack
from ..texts import counted, listed, rounded
from .classes import ClassRule, LabelClass, class_rule, has_class, text_of
from .hold_out import FEWEST, Distance, held_out_units, least_distance, units_of
from .label_map import NONE, LabelMap
from .label_sample import held_out_sample, training_sample
from .rasterise import DISPUTED, PolygonRaster
from .shapes import Polygon, Shape, shapes_of

_CELL = 256  # side of the squares in which polygons are rasterised and validity is looked up, pixels


@dataclass(frozen=True)
class ClassCounts:
    """How many polygons and pixels of a class train, and how many are held out; of the pixels how many are used, where
    that is a sample."""

    training_polygons: int
    training_pixels: int
    held_out_polygons: int
    held_out_pixels: int
    training_used: Optional[int] = None
    held_out_used: Optional[int] = None


@dataclass(frozen=True, eq=False)
class Labels:
    """Valid labelled pixels, each once; of millions a sample, see label_sample.

    points      int32 (P, 4): row, column, class position, number of the polygon unit; by row and column
    held        bool (P,), pixels kept for the accuracy figures
    classes     by ascending code; positions count from 0 here
    counts      per class, of all labelled pixels, also those that are not in the sample
    map         the class of every labelled pixel
    distance    from a held-out polygon to the nearest training polygon; None without hold-out
    warnings    what was left out, repaired or in conflict, as sentences
    notes       how the class field was read, as sentences
    trained     ids of the polygons that are learned from
    """

    points: np.ndarray
    held: np.ndarray
    classes: tuple[LabelClass, ...]
    counts: tuple[ClassCounts, ...]
    map: LabelMap
    distance: Optional[Distance] = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    trained: tuple[int, ...] = ()

    @property
    def training(self) -> np.ndarray:
        """Points (T, 4) to learn from."""
        return self.points[~self.held]

    @property
    def held_out(self) -> np.ndarray:
        """Points (H, 4) for the accuracy figures."""
        return self.points[self.held]

    @property
    def drawn(self) -> tuple[int, int]:
        """All labelled pixels for training, and all for the accuracy figures."""
        return sum(count.training_pixels for count in self.counts), sum(count.held_out_pixels for count in self.counts)

    @property
    def covered(self) -> tuple[LabelClass, ...]:
        """The classes that the accuracy figures cover."""
        return tuple(label for label, counts in zip(self.classes, self.counts) if counts.held_out_pixels)

    @property
    def coverage(self) -> tuple[str, ...]:
        """Sentences on what the accuracy figures cover; none without hold-out."""
        if not self.held.any():
            return ()
        names = listed(
            [
                f"{each.label} ({counted(counts.held_out_polygons, 'polygon')})"
                for each, counts in zip(self.classes, self.counts)
                if counts.held_out_pixels
            ]
        )
        of_all = counted(len(self.classes), "class", "classes")
        lines = [*self._sampled_figures, f"The figures cover {len(self.covered)} of {of_all}: {names}."]
        if self.distance is not None:
            lines.append(
                f"The least distance between a held-out and a training polygon is {self.distance.pixels:.1f} pixels "
                f"({rounded(self.distance.map_units)} map units)."
            )
        return tuple(lines)

    @property
    def sampled(self) -> tuple[str, ...]:
        """Sentences on the samples that stand for all labelled pixels; none where all are used."""
        drawn, used = self.drawn[0], _used([count.training_used for count in self.counts])
        if used is None or used == drawn:
            return self._sampled_figures
        line = f"{drawn:,} labelled pixels; training uses {used:,} of them, spread over classes and polygons."
        return (line, *self._sampled_figures)

    @property
    def _sampled_figures(self) -> tuple[str, ...]:
        drawn, used = self.drawn[1], _used([count.held_out_used for count in self.counts])
        if used is None or used == drawn:
            return ()
        return (f"{drawn:,} held-out pixels; the figures are estimates from {used:,} of them, taken at random.",)

    @property
    def digest(self) -> str:
        """A hash of the samples: pixels, classes and split."""
        digest = hashlib.sha256(np.ascontiguousarray(self.points, "<i4").tobytes())
        digest.update(self.held.astype(np.uint8).tobytes())
        digest.update(repr([(label.code, label.value) for label in self.classes]).encode())
        return digest.hexdigest()


def _used(counts: Sequence[Optional[int]]) -> Optional[int]:
    return None if None in counts else sum(count or 0 for count in counts)


def rasterise_labels(
    stack: ModalityStack,
    polygons: Iterable[Polygon],
    crs_wkt: str,
    field: str = "class",
    holdout: float = 0.2,
    seed: int = 0,
    feedback: Feedback = SILENT,
) -> Labels:
    """The valid pixels of drawn polygons.

    Args:
        stack: the rasters; pixels count where they are valid.
        polygons: with or without a class.
        crs_wkt: CRS of their coordinates; '' takes them as they are.
        field: name of the class field, for messages.
        holdout: share of the polygon units of a class that is held out; 0 uses all for training.
        seed: of the choice of held-out units.
        feedback: looked at often; RunCancelled is raised where the user cancels.

    Raises RasterError where no polygon has a class or lies on valid pixels, only one class is left, a value is no
    class code, or the CRSs cannot be brought together.
    """
    everything = sorted(polygons, key=lambda each: each.fid)
    if not everything:
        raise RasterError("The layer of samples holds no polygon: draw polygons, or check selection and filter.")
    rule = class_rule(everything, field)
    labelled = [polygon for polygon in everything if has_class(polygon.value)]
    found = shapes_of(labelled, crs_wkt, stack.grid, feedback)
    marked = _marked(stack, labelled, found.places, found.shapes, rule, feedback)
    present = np.flatnonzero(marked.valid)
    classes = rule.classes
    dropped = tuple(each.label for position, each in enumerate(classes) if position not in present)
    if not len(present):
        raise RasterError(
            "No polygon lies on valid pixels of the rasters: check their coordinate reference systems, and draw "
            "where all rasters have data."
        )
    if len(present) == 1:
        raise RasterError(
            f"All usable polygons belong to one class, '{classes[present[0]].label}': at least two are needed."
        )
    split = _split(stack, marked, found.shapes, holdout, seed, feedback)
    kept = tuple(classes[position] for position in present)
    warnings = [
        *_reference_warnings(stack, crs_wkt),
        *found.notes(len(everything) - len(labelled), marked.conflicts, marked.polygons.thin),
        *(f"The class '{each}' has no valid pixel and is left out." for each in dropped),
        *(_hold_out_warning(kept, split.counts) if holdout > 0 else ()),
    ]
    return Labels(
        split.points,
        split.held,
        kept,
        split.counts,
        marked.map,
        split.distance,
        warnings=tuple(warnings),
        notes=rule.notes,
        trained=split.trained,
    )


@dataclass(frozen=True, eq=False)
class _Marked:
    """Where the polygons' classes hold.

    polygons   the polygons (n)
    positions  (n,) class position of each
    map        class positions of the pixels that count: valid ones that polygons of a single class cover
    valid      (K,) number of such pixels of each class
    used       bool (n,), polygons that cover any of them
    conflicts  number of valid pixels that polygons of two classes cover
    """

    polygons: PolygonRaster
    positions: np.ndarray
    map: LabelMap
    valid: np.ndarray
    used: np.ndarray
    conflicts: int


def _marked(
    stack: ModalityStack,
    labelled: Sequence[Polygon],
    places: Sequence[int],
    shapes: Sequence[Shape],
    rule: ClassRule,
    feedback: Feedback,
) -> _Marked:
    """Go over the scene cell by cell and see which pixels count."""
    position_of = {each.code: position for position, each in enumerate(rule.classes)}
    codes = rule.codes
    positions = np.array([position_of[codes[text_of(labelled[place].value)]] for place in places], np.int64)
    polygons = PolygonRaster(shapes, stack.overlap, feedback)
    marks = LabelMap(stack.overlap, _CELL)
    valid, used, conflicts = np.zeros(len(rule.classes), np.int64), np.zeros(len(shapes), bool), 0
    for cell in polygons.windows(stack.overlap, _CELL):
        feedback.check()
        position = polygons.agreed(cell, positions)
        inside = _valid(stack, cell, position)
        conflicts += int((inside & (position == DISPUTED)).sum())
        counting = inside & (position >= 0)
        if counting.any():
            valid += np.bincount(position[counting], minlength=len(valid))
            used |= polygons.covering(cell, counting, ~used)
            marks.put(cell, np.where(counting, position, NONE))
    return _Marked(polygons, positions, marks, valid, used, conflicts)


def _valid(stack: ModalityStack, cell: Window, position: np.ndarray) -> np.ndarray:
    """Which covered pixels (h, w) of a cell are valid; reads their surroundings only."""
    inside = np.zeros(position.shape, bool)
    rows, columns = np.nonzero(position != NONE)
    if len(rows):
        top, left = int(rows.min()), int(columns.min())
        part = Window(cell.row + top, cell.column + left, int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1)
        inside[part.slices_in(cell)] = stack.read_valid(part)
        stack.spare_memory()
    return inside & (position != NONE)


@dataclass(frozen=True, eq=False)
class _Split:
    points: np.ndarray
    held: np.ndarray
    counts: tuple[ClassCounts, ...]
    distance: Optional[Distance]
    trained: tuple[int, ...]


def _split(
    stack: ModalityStack,
    marked: _Marked,
    shapes: Sequence[Shape],
    share: float,
    seed: int,
    feedback: Feedback,
) -> _Split:
    """Which units of polygons are held out, and the pixels of both parts: classes are numbered anew, without gaps."""
    renumbered = np.cumsum(marked.valid > 0) - 1
    used = np.flatnonzero(marked.used)
    positions = renumbered[marked.positions[used]]
    chosen = [shapes[each] for each in used]
    units = units_of(chosen, positions.tolist(), feedback)
    held_units = held_out_units(units, positions, share, seed)
    held_polygons = np.isin(units, held_units)
    distance = least_distance(
        [each for each, held in zip(chosen, held_polygons) if held],
        [each for each, held in zip(chosen, held_polygons) if not held],
        stack.grid,
        feedback,
    )
    unit_of = np.zeros(len(shapes), np.int64)
    unit_of[used] = units
    classes, held_unit = np.zeros(units.max() + 1, np.int64), np.zeros(units.max() + 1, bool)
    classes[units], held_unit[held_units] = positions, True
    training, held_out = training_sample(classes, seed), held_out_sample(seed)
    totals = np.zeros((2, int(positions.max()) + 1), np.int64)
    for cell, marks in marked.map.cells():
        feedback.check()
        row, column = np.nonzero(marks != NONE)
        position, unit = renumbered[marks[row, column]], marked.polygons.agreed(cell, unit_of)[row, column]
        points = np.stack([row + cell.row, column + cell.column, position, unit], axis=1).astype(np.int32)
        held = held_unit[unit]
        for part, of_part in enumerate((~held, held)):
            totals[part] += np.bincount(position[of_part], minlength=totals.shape[1])
        training.add(points[~held], unit[~held])
        held_out.add(points[held], np.zeros(int(held.sum()), np.int64))
    samples = []
    for each in (training, held_out):
        samples.append(each.points())
        feedback.check()
    points = np.concatenate(samples)
    points = points[np.argsort(points[:, 0].astype(np.int64) * stack.grid.width + points[:, 1])]
    counts = tuple(
        ClassCounts(
            int(np.count_nonzero((positions == each) & ~held_polygons)),
            int(totals[0, each]),
            int(np.count_nonzero((positions == each) & held_polygons)),
            int(totals[1, each]),
        )
        for each in range(totals.shape[1])
    )
    trained = tuple(shape.fid for shape, kept in zip(chosen, held_polygons) if not kept)
    return _Split(points, held_unit[points[:, 3]], counts, distance, trained)


def _reference_warnings(stack: ModalityStack, crs_wkt: str) -> list[str]:
    if stack.grid.wkt and not crs_wkt:
        return ["The polygons have no coordinate reference system: they are taken to have that of the rasters."]
    if crs_wkt and not stack.grid.wkt:
        return ["The rasters have no coordinate reference system: the polygons' coordinates are taken as they are."]
    return []


def _hold_out_warning(classes: Sequence[LabelClass], counts: Sequence[ClassCounts]) -> list[str]:
    bare = [label.label for label, count in zip(classes, counts) if not count.held_out_polygons]
    if not bare:
        return []
    return [
        f"Classes with fewer than {FEWEST} separate polygons are trained on whole and are not in the accuracy figures: "
        f"{listed(bare)}."
    ]
