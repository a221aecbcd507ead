"""Class codes from integer and text fields."""

from __future__ import annotations

import pytest

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.samples.classes import class_rule, code_in, has_class
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon


def polygons(*values: int | float | str | None, names: tuple[str | None, ...] = ()) -> list[Polygon]:
    given = [*names, *[None] * (len(values) - len(names))]
    return [Polygon(fid, b"", value, name) for fid, (value, name) in enumerate(zip(values, given, strict=True))]


def test_integers_are_codes() -> None:
    rule = class_rule(polygons(7, 0, 65535, 7, None), "class_id")
    assert [(each.code, each.value) for each in rule.classes] == [(0, "0"), (7, "7"), (65535, "65535")]
    assert not any(each.name for each in rule.classes)
    assert not rule.texts


def test_whole_numbers_of_a_real_field_are_codes() -> None:
    assert [each.code for each in class_rule(polygons(3.0, 1.0, float("nan")), "f").classes] == [1, 3]


def test_texts_get_codes_by_sorted_name() -> None:
    rule = class_rule(polygons("wood", "Äcker", " grass ", "wood", "  ", None), "kind")
    assert [(each.code, each.value, each.name) for each in rule.classes] == [
        (1, "grass", "grass"),
        (2, "wood", "wood"),
        (3, "Äcker", "Äcker"),
    ]
    assert rule.codes == {"grass": 1, "wood": 2, "Äcker": 3}

    assert rule.texts and rule.notes == (
        "The field 'kind' holds texts, so the classes got codes by sorted name: 1 grass, 2 wood, 3 Äcker.",
    )


def test_whole_numbers_stored_as_texts_are_codes() -> None:
    rule = class_rule(polygons("10", "9", " 100 ", "0", None, "", names=("ten", "nine")), "kind")
    assert [(each.code, each.value, each.name) for each in rule.classes] == [
        (0, "0", ""),
        (9, "9", "nine"),
        (10, "10", "ten"),
        (100, "100", ""),
    ]
    assert not rule.texts and rule.numbers_as_texts
    assert rule.notes == ("The texts in the field 'kind' are whole numbers: they are taken as the class codes.",)
    assert [each.code_and_label for each in rule.classes] == ["0", "9 nine", "10 ten", "100"]


def test_texts_of_one_number_are_one_class() -> None:
    rule = class_rule(polygons("01", "1", "2.0", "2", names=("water", "lake", "", "wood")), "kind")
    assert [(each.code, each.value, each.name) for each in rule.classes] == [(1, "01", "lake"), (2, "2", "wood")]
    assert rule.codes == {"01": 1, "1": 1, "2.0": 2, "2": 2}


def test_one_text_that_is_no_code_makes_texts_of_all() -> None:
    for odd in ("wood", "65536", "-1", "1.5", "1e2", "\N{SUPERSCRIPT TWO}"):
        rule = class_rule(polygons("10", "9", odd), "kind")
        assert rule.texts and sorted(rule.codes.values()) == [1, 2, 3], odd


@pytest.mark.parametrize(
    ("text", "code"), [("0", 0), ("007", 7), ("65535.0", 65535), ("", None), ("65536", None), ("9" * 5000, None)]
)
def test_codes_in_texts(text: str, code: int | None) -> None:
    assert code_in(text) == code


def test_names_come_from_the_name_field_most_frequent_first() -> None:
    rule = class_rule(polygons(1, 1, 1, 2, 3, names=("forest", "wood", "wood", "")), "class_id")
    assert [(each.name, each.label) for each in rule.classes] == [("wood", "wood"), ("", "2"), ("", "3")]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, r"'class_id' holds 1.5 in polygon 1: class codes are whole"),
        (-1, r"holds -1 in polygon 1.*between 0 and 65535"),
        (65536, r"holds 65536 in polygon 1.*between 0 and 65535"),
    ],
)
def test_what_is_no_code_is_refused(value: float, message: str) -> None:
    with pytest.raises(RasterError, match=message):
        class_rule(polygons(1, value), "class_id")


def test_a_field_without_values_is_refused() -> None:
    with pytest.raises(RasterError, match="'class_id' is empty in every polygon"):
        class_rule(polygons(None, "", " "), "class_id")


@pytest.mark.parametrize(
    ("value", "answer"), [(0, True), ("0", True), (None, False), ("", False), (float("nan"), False)]
)
def test_zero_is_a_class_and_emptiness_is_none(value: int | str | float | None, answer: bool) -> None:
    assert has_class(value) is answer


@pytest.mark.parametrize("values", [range(1001), [f"value {each}" for each in range(1001)]], ids=["codes", "texts"])
def test_a_field_of_too_many_classes_is_refused_by_name(values: list[int | str]) -> None:
    with pytest.raises(RasterError, match=r"'area' holds 1,001 classes, and a model learns at most 1,000: choose"):
        class_rule(polygons(*values), "area")
    assert len(class_rule(polygons(*values[1:]), "area").classes) == 1000
