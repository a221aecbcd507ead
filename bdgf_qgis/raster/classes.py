"""Class codes from what the class field says: whole numbers are codes, texts get codes by sorted name."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .errors import RasterError
from .shapes import Polygon, Value

HIGHEST_CODE = 65_535


@dataclass(frozen=True)
class LabelClass:
    """A class of the samples.

    code   its code in the map
    value  the text that stands in the class field (of an integer field, the code's digits)
    name   from the name field, else the text of a text field, else ''
    """

    code: int
    value: str
    name: str

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.name or self.value


@dataclass(frozen=True)
class ClassRule:
    """How values become codes.

    classes  by ascending code
    texts    whether the class field holds texts
    """

    classes: tuple[LabelClass, ...]
    texts: bool

    @property
    def codes(self) -> Mapping[str, int]:
        """Codes by the text in the class field."""
        return {each.value: each.code for each in self.classes}


def has_class(value: Value) -> bool:
    """Whether a value of the class field names a class: it is neither empty nor NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    return not isinstance(value, str) or bool(value.strip())


def class_rule(polygons: Sequence[Polygon], field: str) -> ClassRule:
    """The classes of polygons; those without a class count for nothing.

    Raises RasterError, naming the field, where every value is empty, a number has a fraction, or a code lies
    outside 0 to 65535.
    """
    labelled = [each for each in polygons if has_class(each.value)]
    if not labelled:
        raise RasterError(f"The field '{field}' is empty in every polygon: give the polygons a class.")
    texts = any(isinstance(each.value, str) for each in labelled)
    if texts:
        values = sorted({text_of(each.value) for each in labelled})
        numbered = {value: code for code, value in enumerate(values, 1)}
        if len(values) > HIGHEST_CODE:
            raise RasterError(f"The field '{field}' holds {len(values)} different texts: it is no class field.")
    else:
        numbered = {text_of(each.value): _code(each, field) for each in labelled}
    names = _names(labelled)
    classes = [
        LabelClass(code, value, names.get(value) or (value if texts else "")) for value, code in numbered.items()
    ]
    return ClassRule(tuple(sorted(classes, key=lambda each: each.code)), texts)


def _code(polygon: Polygon, field: str) -> int:
    value = polygon.value
    if not isinstance(value, (int, float)) or value != value // 1:
        raise RasterError(
            f"The field '{field}' holds {value} in polygon {polygon.fid}: class codes are whole numbers. "
            "Choose another field, or a text field."
        )
    if not 0 <= value <= HIGHEST_CODE:
        raise RasterError(
            f"The field '{field}' holds {int(value)} in polygon {polygon.fid}: class codes lie between 0 and "
            f"{HIGHEST_CODE}."
        )
    return int(value)


def text_of(value: Value) -> str:
    """A value as the text by which its class is found: 3, 3.0 and ' 3' are one."""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    return str(value).strip()


def _names(polygons: Sequence[Polygon]) -> dict[str, str]:
    """The most frequent name a value, of equals the first by alphabet."""
    counts: dict[str, Counter[str]] = {}
    for each in polygons:
        if each.name and each.name.strip():
            counts.setdefault(text_of(each.value), Counter())[each.name.strip()] += 1
    return {value: min(found, key=lambda name: (-found[name], name)) for value, found in counts.items()}
