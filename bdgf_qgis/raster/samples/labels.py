"""Labelled pixels from drawn polygons, with their classes and the split into training and held-out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..reading.stack import ModalityStack
from ..texts import counted, listed, rounded
from .classes import LabelClass, class_rule, has_class, text_of
from .hold_out import FEWEST, Distance
from .label_map import LabelMap
from .label_marks import mark_pixels
from .label_split import ClassCounts, split_pixels
from .shapes import IGNORE, TRAIN, VALIDATE, Polygon, shapes_of


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
        holdout: share of the polygon units of a class that is held out; 0 uses all for training. Polygons drawn for
            validation are held out in their place.
        seed: of the choice of held-out units.
        feedback: looked at often; RunCancelled is raised where the user cancels.

    Raises RasterError where no polygon has a class or lies on valid pixels, only one class is left, a value is no
    class code, or the CRSs cannot be brought together.
    """
    everything = sorted(polygons, key=lambda polygon: polygon.fid)
    if not everything:
        raise RasterError("The layer of samples holds no polygon: draw polygons, or check selection and filter.")
    drawn = [polygon for polygon in everything if polygon.role != IGNORE]
    if not drawn:
        raise RasterError("Every polygon has the role 'ignore': give those to learn from the role 'train'.")
    rule = class_rule(drawn, field)
    named = [polygon for polygon in drawn if has_class(polygon.value)]
    learned = {rule.codes[text_of(polygon.value)] for polygon in named if polygon.role == TRAIN}
    labelled = [polygon for polygon in named if rule.codes[text_of(polygon.value)] in learned]
    found = shapes_of(labelled, crs_wkt, stack.grid, feedback)
    marked = mark_pixels(stack, labelled, found.places, found.shapes, rule, feedback)
    present = np.flatnonzero(marked.valid)
    if not len(present):
        raise RasterError(
            "No polygon lies on valid pixels of the rasters: check their coordinate reference systems, and draw "
            "where all rasters have data."
        )
    if len(present) == 1:
        raise RasterError(
            f"All usable polygons belong to one class, '{rule.classes[present[0]].label}': at least two are needed."
        )
    kept = tuple(rule.classes[position] for position in present)
    split = split_pixels(stack, marked, found.shapes, holdout, seed, feedback)
    for label, counts in zip(kept, split.counts):
        if not counts.training_pixels:
            raise RasterError(
                f"The polygons that the class '{label.label}' is to be learned from lie on no valid pixel, only those "
                "for validation do: draw some where all rasters have data."
            )
    validated = bool(marked.validating.any())
    warnings = [
        *_reference_warnings(stack, crs_wkt),
        *found.notes(len(drawn) - len(named), marked.conflicts, marked.polygons.thin),
        *_left_out(rule.classes, learned, set(present.tolist())),
        *(_hold_out_warning(kept, split.counts, validated) if holdout > 0 or validated else ()),
    ]
    return Labels(
        split.points,
        split.held,
        kept,
        split.counts,
        marked.map,
        split.distance,
        warnings=tuple(warnings),
        notes=(*rule.notes, *_role_notes(everything)),
        trained=split.trained,
    )


def _left_out(classes: Sequence[LabelClass], learned: set[int], present: set[int]) -> list[str]:
    """A sentence for each class that the model does not learn."""
    sentences = []
    for position, label in enumerate(classes):
        if label.code not in learned:
            sentences.append(f"The class '{label.label}' has polygons for validation alone and is left out.")
        elif position not in present:
            sentences.append(f"The class '{label.label}' has no valid pixel and is left out.")
    return sentences


def _role_notes(polygons: Sequence[Polygon]) -> list[str]:
    ignored, validating = (sum(polygon.role == role for polygon in polygons) for role in (IGNORE, VALIDATE))
    notes = []
    if ignored:
        notes.append(f"{counted(ignored, 'polygon')} with the role 'ignore' left out.")
    if validating:
        notes.append(f"The accuracy figures come from {counted(validating, 'polygon')} with the role 'validate' alone.")
    return notes


def _reference_warnings(stack: ModalityStack, crs_wkt: str) -> list[str]:
    if stack.grid.wkt and not crs_wkt:
        return ["The polygons have no coordinate reference system: they are taken to have that of the rasters."]
    if crs_wkt and not stack.grid.wkt:
        return ["The rasters have no coordinate reference system: the polygons' coordinates are taken as they are."]
    return []


def _hold_out_warning(classes: Sequence[LabelClass], counts: Sequence[ClassCounts], validated: bool) -> list[str]:
    bare = [label.label for label, count in zip(classes, counts) if not count.held_out_polygons]
    if not bare:
        return []
    if validated:
        return [f"Classes without a polygon for validation are not in the accuracy figures: {listed(bare)}."]
    return [
        f"Classes with fewer than {FEWEST} separate polygons are trained on whole and are not in the accuracy figures: "
        f"{listed(bare)}."
    ]
