"""Labelled pixels from drawn polygons, with their classes and the split into training and held-out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from .claims import Claims, without_conflicts
from .classes import ClassRule, LabelClass, class_rule, has_class, text_of
from .errors import RasterCancelled, RasterError
from .grid import Window
from .hold_out import FEWEST, Distance, held_out_units, least_distance, units_of
from .rasterise import pixels_of
from .shapes import Polygon, Shape, Shapes, shapes_of
from .stack import ModalityStack
from .texts import counted, geometry_notes, listed

_CELL = 256  # side of the squares in which validity is looked up, pixels


@dataclass(frozen=True)
class ClassCounts:
    """How many polygons and pixels of a class train, and how many are held out."""

    training_polygons: int
    training_pixels: int
    held_out_polygons: int
    held_out_pixels: int


@dataclass(frozen=True, eq=False)
class Labels:
    """Valid labelled pixels, each once.

    points      int32 (P, 4): row, column, class position, number of the polygon unit; by row and column
    held        bool (P,), pixels kept for the accuracy figures
    classes     by ascending code; positions count from 0 here
    counts      per class
    distance    from a held-out polygon to the nearest training polygon; None without hold-out
    without_class, conflict_pixels, thin_polygons   counts of polygons, pixels, polygons
    repaired    ids of polygons whose geometry was repaired
    skipped     ids of polygons whose geometry cannot be used, with the reason
    dropped     labels of the classes without a valid pixel
    warnings    all that as sentences
    notes       how the class field was read, as sentences
    trained     ids of the polygons that are learned from
    """

    points: np.ndarray
    held: np.ndarray
    classes: tuple[LabelClass, ...]
    counts: tuple[ClassCounts, ...]
    distance: Optional[Distance] = None
    without_class: int = 0
    conflict_pixels: int = 0
    thin_polygons: int = 0
    repaired: tuple[int, ...] = ()
    skipped: tuple[tuple[int, str], ...] = ()
    dropped: tuple[str, ...] = ()
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
    def covered(self) -> tuple[LabelClass, ...]:
        """The classes that the accuracy figures cover."""
        return tuple(each for each, counts in zip(self.classes, self.counts) if counts.held_out_pixels)

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
        lines = [f"The figures cover {len(self.covered)} of {counted(len(self.classes), 'class', 'classes')}: {names}."]
        if self.distance is not None:
            lines.append(
                f"The least distance between a held-out and a training polygon is {self.distance.pixels:.1f} pixels "
                f"({self.distance.map_units:.6g} map units)."
            )
        return tuple(lines)

    @property
    def digest(self) -> str:
        """A hash of the samples: pixels, classes and split."""
        digest = hashlib.sha256(np.ascontiguousarray(self.points, "<i4").tobytes())
        digest.update(self.held.astype(np.uint8).tobytes())
        digest.update(repr([(each.code, each.value) for each in self.classes]).encode())
        return digest.hexdigest()


def rasterise_labels(
    stack: ModalityStack,
    polygons: Iterable[Polygon],
    crs_wkt: str,
    field: str = "class",
    holdout: float = 0.2,
    seed: int = 0,
    cancelled: Callable[[], bool] = lambda: False,
) -> Labels:
    """The valid pixels of drawn polygons.

    Args:
        stack: the rasters; pixels count where they are valid.
        polygons: with or without a class.
        crs_wkt: CRS of their coordinates; '' takes them as they are.
        field: name of the class field, for messages.
        holdout: share of the polygon units of a class that is held out; 0 uses all for training.
        seed: of the choice of held-out units.
        cancelled: looked at often; RasterCancelled is raised where it says so.

    Raises RasterError where no polygon has a class or lies on valid pixels, only one class is left, a value is no
    class code, or the CRSs cannot be brought together.
    """
    everything = sorted(polygons, key=lambda each: each.fid)
    if not everything:
        raise RasterError("The layer of samples holds no polygon: draw polygons, or check selection and filter.")
    rule = class_rule(everything, field)
    labelled = [each for each in everything if has_class(each.value)]
    found = shapes_of(labelled, crs_wkt, stack.grid, cancelled)
    classes, claims, thin = _claims(stack, labelled, found, rule, cancelled)
    claims, conflicts = without_conflicts(claims)
    present = np.unique(claims.position)
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
    renumbered = np.full(len(classes), -1)
    renumbered[present] = np.arange(len(present))
    claims = Claims(claims.pixel, renumbered[claims.position], claims.polygon)
    split = _split(stack, claims, found.shapes, holdout, seed)
    skipped_without = len(everything) - len(labelled)
    kept = tuple(classes[position] for position in present)
    warnings = [
        *_reference_warnings(stack, crs_wkt),
        *geometry_notes(found, skipped_without, conflicts, thin),
        *(f"The class '{each}' has no valid pixel and is left out." for each in dropped),
        *(_hold_out_warning(kept, split.counts) if holdout > 0 else ()),
    ]
    return Labels(
        split.points,
        split.held,
        kept,
        split.counts,
        split.distance,
        without_class=skipped_without,
        conflict_pixels=conflicts,
        thin_polygons=thin,
        repaired=found.repaired,
        skipped=found.skipped,
        dropped=dropped,
        warnings=tuple(warnings),
        notes=rule.notes,
        trained=split.trained,
    )


def _claims(
    stack: ModalityStack, polygons: Sequence[Polygon], found: Shapes, rule: ClassRule, cancelled: Callable[[], bool]
) -> tuple[tuple[LabelClass, ...], Claims, int]:
    """The classes, valid pixels with the polygons that claim them, and the number of thin polygons."""
    position_of = {each.code: position for position, each in enumerate(rule.classes)}
    codes = rule.codes
    rows, columns, counts, positions, thin = [], [], [], [], 0
    for shape, place in zip(found.shapes, found.places):
        if cancelled():
            raise RasterCancelled
        row, column, is_thin = pixels_of(shape, stack.overlap)
        rows.append(row)
        columns.append(column)
        counts.append(len(row))
        positions.append(position_of[codes[text_of(polygons[place].value)]])
        thin += is_thin and len(row) > 0
    numbers = np.arange(len(counts))
    row, column = _joined(rows), _joined(columns)
    claims = Claims(
        row * stack.grid.width + column,
        np.repeat(np.array(positions, np.int64), counts),
        np.repeat(numbers, counts),
    )
    return rule.classes, claims.where(valid_at(stack, row, column, cancelled)), thin


def valid_at(
    stack: ModalityStack, rows: np.ndarray, columns: np.ndarray, cancelled: Callable[[], bool] = lambda: False
) -> np.ndarray:
    """Whether pixels (P,) of the grid are valid; reads their surroundings only."""
    valid = np.zeros(len(rows), bool)
    across = stack.grid.width // _CELL + 1
    cells = (rows // _CELL) * across + columns // _CELL
    order = np.argsort(cells, kind="stable")
    starts = np.flatnonzero(np.diff(cells[order], prepend=-1))
    for members in np.split(order, starts[1:]) if len(order) else []:
        if cancelled():
            raise RasterCancelled
        row, column = rows[members], columns[members]
        top, left = int(row.min()), int(column.min())
        window = Window(top, left, int(row.max()) - top + 1, int(column.max()) - left + 1)
        valid[members] = stack.read_valid(window)[row - top, column - left]
    return valid


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *parts])


@dataclass(frozen=True, eq=False)
class _Split:
    points: np.ndarray
    held: np.ndarray
    counts: tuple[ClassCounts, ...]
    distance: Optional[Distance]
    trained: tuple[int, ...]


def _split(stack: ModalityStack, claims: Claims, shapes: Sequence[Shape], share: float, seed: int) -> _Split:
    used, first = np.unique(claims.polygon, return_index=True)
    positions = claims.position[first]
    chosen = [shapes[each] for each in used]
    units = units_of(chosen, positions.tolist())
    held_units = held_out_units(units, positions, share, seed)
    held_polygons = np.isin(units, held_units)
    distance = least_distance(
        [each for each, held in zip(chosen, held_polygons) if held],
        [each for each, held in zip(chosen, held_polygons) if not held],
        stack.grid,
    )
    _, once = np.unique(claims.pixel, return_index=True)  # of polygons of one class that overlap, the first
    pixel, position = claims.pixel[once], claims.position[once]
    unit = units[np.searchsorted(used, claims.polygon[once])]
    row, column = np.divmod(pixel, stack.grid.width)
    points = np.stack([row, column, position, unit], axis=1).astype(np.int32)
    held = np.isin(unit, held_units)
    counts = tuple(
        ClassCounts(
            int(np.count_nonzero((positions == each) & ~held_polygons)),
            int(np.count_nonzero((position == each) & ~held)),
            int(np.count_nonzero((positions == each) & held_polygons)),
            int(np.count_nonzero((position == each) & held)),
        )
        for each in range(int(positions.max()) + 1)
    )
    trained = tuple(shape.fid for shape, kept in zip(chosen, held_polygons) if not kept)
    return _Split(points, held, counts, distance, trained)


def _reference_warnings(stack: ModalityStack, crs_wkt: str) -> list[str]:
    if stack.grid.wkt and not crs_wkt:
        return ["The polygons have no coordinate reference system: they are taken to have that of the rasters."]
    if crs_wkt and not stack.grid.wkt:
        return ["The rasters have no coordinate reference system: the polygons' coordinates are taken as they are."]
    return []


def _hold_out_warning(classes: Sequence[LabelClass], counts: Sequence[ClassCounts]) -> list[str]:
    bare = [each.label for each, count in zip(classes, counts) if not count.held_out_polygons]
    if not bare:
        return []
    return [
        f"Classes with fewer than {FEWEST} separate polygons are trained on whole and are not in the accuracy figures: "
        f"{listed(bare)}."
    ]
