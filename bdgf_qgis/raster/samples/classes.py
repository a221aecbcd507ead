"""Class codes from what the class field says: whole numbers are codes, other texts get codes by sorted name.

Whole numbers that are stored as texts are codes too ("10", "9", "1.0", and "01" is 1), where all texts of a field are.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from ....model.shared.infos import HIGHEST_CODE, MOST_CLASSES
from ..errors import RasterError
from ..texts import listed
from .shapes import Polygon, Value

CODE_FIELD, NAME_FIELD = "class_id", "class_name"  # of the layers that the plugin makes
ROLE_FIELD = "role"  # of any layer: its texts are ROLES, what is none of them counts as 'train'
_WHOLE = re.compile(r"0*([0-9]{1,5})(\.0*)?")


@dataclass(frozen=True)
class LabelClass:
    """A class of the samples.

    code   its code in the map
    value  the text that stands in the class field (of an integer field, the code's digits)
    name   from the name field, else the text of a text field that is no code, else ''
    """

    code: int
    value: str
    name: str

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.name or self.value

    @property
    def code_and_label(self) -> str:
        """As '3 wood'; of a class without a name the code alone."""
        return str(self.code) if self.label == str(self.code) else f"{self.code} {self.label}"


@dataclass(frozen=True)
class ClassRule:
    """How values become codes.

    classes  by ascending code
    codes    by the text in the class field, see text_of(); several texts may mean one code ("1", "01")
    texts    whether the field holds texts that are no codes: these rule then, and codes are made up
    numbers_as_texts  whether the field holds texts that are all codes
    notes    what became of texts, as sentences
    """

    classes: tuple[LabelClass, ...]
    codes: Mapping[str, int]
    texts: bool
    numbers_as_texts: bool = False
    notes: tuple[str, ...] = ()


def has_class(value: Value) -> bool:
    """Whether a value of the class field names a class: it is neither empty nor NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    return not isinstance(value, str) or bool(value.strip())


def class_rule(polygons: Sequence[Polygon], field: str) -> ClassRule:
    """The classes of polygons; those without a class count for nothing.

    Raises RasterError, naming the field, where every value is empty, a number has a fraction, a code lies outside 0 to
    65535, or there are more classes than a model holds.
    """
    labelled = [polygon for polygon in polygons if has_class(polygon.value)]
    if not labelled:
        raise RasterError(f"The field '{field}' is empty in every polygon: give the polygons a class.")
    codes = text_codes(polygon.value for polygon in labelled)
    numbers_as_texts = codes is not None
    texts = not numbers_as_texts and any(isinstance(polygon.value, str) for polygon in labelled)
    notes: tuple[str, ...] = ()
    if codes is not None:
        notes = (f"The texts in the field '{field}' are whole numbers: they are taken as the class codes.",)
    elif texts:
        values = sorted({text_of(polygon.value) for polygon in labelled})
        codes = {value: code for code, value in enumerate(values, 1)}
        shown = listed([f"{code} {value}" for value, code in codes.items()])
        notes = (f"The field '{field}' holds texts, so the classes got codes by sorted name: {shown}.",)
    else:
        codes = {text_of(polygon.value): _code(polygon, field) for polygon in labelled}
    if len(set(codes.values())) > MOST_CLASSES:
        raise RasterError(
            f"The field '{field}' holds {len(set(codes.values())):,} classes, and a model learns at most "
            f"{MOST_CLASSES:,}: choose the field of the classes."
        )
    names = _names(labelled, codes)
    first = {code: value for value, code in sorted(codes.items(), reverse=True)}
    classes = [
        LabelClass(code, value, names.get(code) or (value if texts else "")) for code, value in sorted(first.items())
    ]
    return ClassRule(tuple(classes), codes, texts, numbers_as_texts, notes)


def text_codes(values: Iterable[Value]) -> Optional[dict[str, int]]:
    """Codes by text, where all values that name a class are texts of whole numbers from 0 to 65535; else None."""
    given = [value for value in values if has_class(value)]
    found = {value.strip(): code_in(value) for value in given if isinstance(value, str)}
    codes = {text: code for text, code in found.items() if code is not None}
    return codes if codes and len(codes) == len(found) and all(isinstance(value, str) for value in given) else None


def code_in(text: str) -> Optional[int]:
    """The class code that a text is; None where it is none."""
    found = _WHOLE.fullmatch(text.strip())
    code = int(found[1]) if found else HIGHEST_CODE + 1
    return code if code <= HIGHEST_CODE else None


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


def _names(polygons: Sequence[Polygon], codes: Mapping[str, int]) -> dict[int, str]:
    """The most frequent name a code, of equals the first by alphabet."""
    counts: dict[int, Counter[str]] = {}
    for each in polygons:
        if each.name and each.name.strip():
            counts.setdefault(codes[text_of(each.value)], Counter())[each.name.strip()] += 1
    return {code: min(found, key=lambda name: (-found[name], name)) for code, found in counts.items()}
