"""A class raster against reference polygons: the confusion matrix, counted block by block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ....model.shared.infos import ClassInfo, TrainingPolygons
from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..grid import Window
from ..output.metadata import NO_COLOUR
from ..reading.raster import Raster, check_is_class_raster
from ..reading.source import SourcePixels
from ..texts import counted, listed
from .classes import ClassRule, class_rule, has_class, text_of
from .polygon_digests import remembered
from .rasterise import DISPUTED, PolygonRaster
from .shapes import Polygon, Shape, shapes_of

_BLOCK = 1024  # side of the squares that are read at once, pixels
_MOST_CODES = 1_000  # of a map that is still believed to hold classes
_STRANGE = -(2**40)  # keys up to here stand for reference classes that the map lacks


@dataclass(frozen=True)
class Assessment:
    """What a class raster got right.

    classes    those that occur in the reference or, at its pixels, in the map; by ascending code
    confusion  pixels, a row a reference class, a column a mapped class, in the order of `classes`
    polygons   reference polygons that were compared, a class
    trained_on those of them that the map's model was trained on, as far as the map tells
    left_out   reference pixels where the map is nodata
    conflicts  reference pixels that polygons of two classes cover; they are left out too
    notes      what was skipped, dropped or repaired, as sentences
    """

    classes: tuple[ClassInfo, ...]
    confusion: tuple[tuple[int, ...], ...]
    polygons: tuple[int, ...]
    left_out: int
    conflicts: int
    notes: tuple[str, ...]
    trained_on: int = 0


@dataclass
class _Tally:
    """Counts under way: pixels by (reference class, mapped code), both as keys, and the polygons that they lie in."""

    pairs: Counter[tuple[int, int]]
    polygons: set[int]
    left_out: int = 0
    conflicts: int = 0


def confusion_of(
    raster: Raster,
    polygons: Iterable[Polygon],
    crs_wkt: str,
    field: str = "class",
    feedback: Feedback = SILENT,
) -> Assessment:
    """Compare a class raster with reference polygons, rasterised as training samples are.

    A reference class meets the map's class of the same code where the class field holds whole numbers, of the same name
    (in the map's attribute table) where it holds texts; whole numbers stored as texts meet what more of them fit.

    Args:
        raster: the class raster; its first band counts.
        polygons: the reference; without a class they are left out.
        crs_wkt: CRS of their coordinates; '' takes them as they are.
        field: name of the class field, for messages.
        feedback: told the share that is done, and asked about Cancel, for each block; RunCancelled is raised then.

    Raises RasterError where the raster is no class raster, texts cannot be matched, or no reference pixel lies on
    mapped pixels.
    """
    everything = sorted(polygons, key=lambda each: each.fid)
    if not everything:
        raise RasterError("The reference layer holds no polygon: check selection and filter.")
    rule = class_rule(everything, field)
    labelled = [polygon for polygon in everything if has_class(polygon.value)]
    check_is_class_raster(raster)
    table = raster.classes
    trained = TrainingPolygons() if raster.lineage is None else raster.lineage.polygons
    pixels = SourcePixels(raster, [1])
    met = _met(rule, table, trained.values, field, raster.name)
    notes = [*(() if met.by_name else rule.notes), *met.notes]
    found = shapes_of(labelled, crs_wkt, pixels.grid, feedback)
    positions = [met.keys[text_of(labelled[place].value)] for place in found.places]
    tally, used = _tally(pixels, found.shapes, positions, _merged(table, met.by_name), raster.name, feedback)
    pixels.close()
    if not tally.pairs:
        raise RasterError(
            f"No reference polygon lies where '{raster.name}' has a class: check the coordinate reference systems."
        )
    if bool(crs_wkt) != bool(pixels.grid.wkt):
        notes.append("Only map or reference has a coordinate reference system: coordinates are taken as they are.")
    notes += found.notes(len(everything) - len(labelled), tally.conflicts)
    if len(used) < len(found.shapes):
        notes.append(f"{counted(len(found.shapes) - len(used), 'reference polygon')} off the map left out.")
    if not {mapped for _, mapped in tally.pairs} & set(met.keys.values()) and not table:
        raise _nothing_common(rule, field, raster.name, sorted({mapped for _, mapped in tally.pairs}))
    classes, order = _classes(tally.pairs, rule, met.keys, table)
    confusion = np.zeros((len(order), len(order)), np.int64)
    place = {key: number for number, key in enumerate(order)}
    for (reference, mapped), count in tally.pairs.items():
        confusion[place[reference], place[mapped]] += count
    rows = tuple(tuple(row) for row in confusion.tolist())
    seen = remembered(
        trained, [labelled[found.places[number]] for number in tally.polygons], crs_wkt or pixels.grid.wkt
    )
    notes = [*filter(None, [seen.sentence]), *notes]
    drawn = Counter(positions[number] for number in tally.polygons)
    polygons_a_class = tuple(drawn[key] for key in order)
    return Assessment(classes, rows, polygons_a_class, tally.left_out, tally.conflicts, tuple(notes), seen.known)


@dataclass(frozen=True)
class _Met:
    """How reference classes meet those of the map.

    keys     for each text in the class field the map's code, or a key below all codes where the map has no such name
    by_name  whether they meet by name, else by code
    """

    keys: Mapping[str, int]
    by_name: bool
    notes: tuple[str, ...]


def _met(rule: ClassRule, table: Sequence[ClassInfo], values: Sequence[str], field: str, name: str) -> _Met:
    """values  of the class field in training, as far as they are known, in the order of the model's classes"""
    codes = dict(zip(values, [info.code for info in table])) if len(values) == len(table) else {}
    codes.update({each.name: each.code for each in reversed(table)})
    known = set(codes.values()) | {info.code for info in table}
    named = [text for text in rule.codes if text in codes]
    coded = [text for text, code in rule.codes.items() if code in known]
    if rule.texts and not table:
        raise RasterError(
            f"'{name}' holds no class names, so the texts in the field '{field}' cannot be matched: choose a field "
            "with the class codes, or a raster that Classify wrote."
        )
    by_name = rule.texts or (rule.numbers_as_texts and len(named) > len(coded))
    common = named if by_name else coded
    if table and not common:
        raise _nothing_common(rule, field, name, [f"{each.code} {each.name}" for each in table])
    strange = [text for text in rule.codes if text not in common] if table else []
    notes = [f"The reference classes {listed(strange)} are no classes of the map."] if strange else []
    if by_name:
        return _Met({text: codes.get(text, _STRANGE - code) for text, code in rule.codes.items()}, True, tuple(notes))
    return _Met(rule.codes, False, (*notes, *_other_names(rule, table)))


def _other_names(rule: ClassRule, table: Sequence[ClassInfo]) -> list[str]:
    """A warning where names say that the codes of reference and map stand for different classes."""
    mapped = {info.code: info.name for info in table}
    taken = {name.casefold() for name in mapped.values()}
    shared = [each for each in rule.classes if each.name and each.code in mapped]
    other = [each for each in shared if mapped[each.code].casefold() != each.name.casefold()]
    alien = len(other) == len(shared)  # another list of classes altogether
    odd = [each for each in other if alien or each.name.casefold() in taken]
    said = [f"{each.code} is '{each.name}' in the reference and '{mapped[each.code]}' in the map" for each in odd]
    tail = "If the codes are not those of the map, choose a field with the names."
    return [f"The same codes have different names: {listed(said)}. {tail}"] if said else []


def _nothing_common(rule: ClassRule, field: str, name: str, there: Sequence[object]) -> RasterError:
    given = listed([text if rule.texts else code for text, code in rule.codes.items()])
    return RasterError(
        f"None of the classes in the field '{field}' ({given}) is a class of '{name}' ({listed(there)}): choose "
        "another field, or the map that these polygons belong to."
    )


def _merged(table: Sequence[ClassInfo], texts: bool) -> Mapping[int, int]:
    """Codes of the map that stand for another: with texts, codes of one name are one class."""
    first = {each.name: each.code for each in reversed(table)}
    return {info.code: first[info.name] for info in table if first[info.name] != info.code} if texts else {}


def _tally(
    pixels: SourcePixels,
    shapes: Sequence[Shape],
    positions: Sequence[int],
    merged: Mapping[int, int],
    name: str,
    feedback: Feedback,
) -> tuple[_Tally, set[int]]:
    """Counts over all blocks that a polygon touches, and the numbers of the polygons with a pixel on the raster."""
    area = pixels.grid.window
    polygons = PolygonRaster(shapes, area, feedback)
    blocks = list(polygons.windows(area, _BLOCK))
    distinct, numbers = np.unique(np.array(positions, np.int64), return_inverse=True)
    tally = _Tally(Counter(), set())
    used, compared = np.zeros((2, len(shapes)), bool)
    for done, block in enumerate(blocks):
        feedback.check()
        reference_at = polygons.agreed(block, numbers)
        for runs in polygons.runs(block, ~used):
            used[runs.polygon] = True
        tally.conflicts += int((reference_at == DISPUTED).sum())
        mapped = _compare(pixels, block, reference_at, distinct, merged, tally, name)
        compared |= polygons.covering(block, mapped, ~compared)
        feedback.at((done + 1) / len(blocks))
    tally.polygons.update(np.flatnonzero(compared).tolist())
    return tally, set(np.flatnonzero(used).tolist())


def _compare(
    pixels: SourcePixels,
    window: Window,
    reference_at: np.ndarray,
    keys: np.ndarray,
    merged: Mapping[int, int],
    tally: _Tally,
    name: str,
) -> np.ndarray:
    """Count the pixels that have a class in the reference and in the map, and give them as bool (h, w)."""
    compared = np.zeros(reference_at.shape, bool)
    row, column = np.nonzero(reference_at >= 0)
    if not len(row):
        return compared
    part = Window(int(row.min()), int(column.min()), int(np.ptp(row)) + 1, int(np.ptp(column)) + 1)
    values, valid = pixels.read(Window(window.row + part.row, window.column + part.column, part.height, part.width))
    pixels.forget_blocks()
    place = row - part.row, column - part.column
    mapped, inside = values[0][place], valid[place]
    tally.left_out += int((~inside).sum())
    compared[row[inside], column[inside]] = True
    mapped, reference = mapped[inside], reference_at[row, column][inside]
    codes = mapped.astype(np.int64)
    if mapped.dtype.kind == "f" and (codes != mapped).any():
        raise RasterError(
            f"'{name}' holds fractions such as {mapped[codes != mapped][0]:g}, and class codes are whole numbers: "
            "choose a class raster."
        )
    different, place_of = np.unique(codes, return_inverse=True)
    pairs, counts = np.unique(reference * max(1, len(different)) + place_of, return_counts=True)
    for pair, count in zip(pairs.tolist(), counts.tolist()):
        first, second = int(keys[pair // len(different)]), int(different[pair % len(different)])
        tally.pairs[first, merged.get(second, second)] += count
    if len({second for _, second in tally.pairs}) > _MOST_CODES:
        raise RasterError(
            f"'{name}' holds more than {_MOST_CODES:,} different values where the polygons are: choose a class raster."
        )
    return compared


def _classes(
    pairs: Mapping[tuple[int, int], int], rule: ClassRule, keys: Mapping[str, int], table: Sequence[ClassInfo]
) -> tuple[tuple[ClassInfo, ...], list[int]]:
    """Classes that occur, and their keys in the same order; classes that the map lacks get codes above all others."""
    present = {key for pair in pairs for key in pair}
    known = {each.code: each for each in reversed(table)}
    labels = {each.code: each.label for each in rule.classes}
    names = {keys[text]: labels[code] for text, code in rule.codes.items()}
    highest = max([0, *present, *known])
    ordered = sorted(key for key in present if key > _STRANGE)
    ordered += sorted((key for key in present if key <= _STRANGE), reverse=True)
    infos = []
    for key in ordered:
        code = key
        if key <= _STRANGE:
            highest += 1
            code = highest
        infos.append(known.get(key) or ClassInfo(code, names.get(key) or str(code), NO_COLOUR))
    return tuple(infos), ordered
