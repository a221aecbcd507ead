"""The legend of a sample layer, and what becomes of it in the classes of a model."""

from __future__ import annotations

import pytest
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsCoordinateTransformContext,
    QgsFillSymbol,
    QgsRendererCategory,
    QgsSingleSymbolRenderer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from bdgf.bdgf_qgis.style.legend import LegendEntry, class_infos, legend_of


def symbol(colour: str) -> QgsFillSymbol:
    return QgsFillSymbol.createSimple({"color": colour})


def categorised(field: str, *categories: tuple[object, str, str]) -> QgsVectorLayer:
    layer = QgsVectorLayer("Polygon?field=code:integer&field=name:string", "samples", "memory")
    rows = [QgsRendererCategory(value, symbol(colour), label) for value, colour, label in categories]
    layer.setRenderer(QgsCategorizedSymbolRenderer(field, rows))
    return layer


WATER, SOIL = LegendEntry("Water", "#0000ff"), LegendEntry("Soil", "#a52a2a")


@pytest.mark.parametrize("attribute", ["code", '"code"'])
def test_categories_become_entries(attribute):
    layer = categorised(attribute, (1, "blue", "Water"), (2, "brown", "Soil"), (None, "grey", "others"))
    assert legend_of(layer, ["code", "name"]) == {"1": WATER, "2": SOIL}


def test_whole_numbers_are_found_in_every_way_of_writing():
    layer = categorised("code", ("01", "blue", "Water"), (2.0, "brown", "Soil"))
    infos = class_infos([1, 2], {1: "1", 2: "002"}, {}, legend_of(layer, ["code"]))
    assert [(each.name, each.colour) for each in infos] == [("Water", "#0000ff"), ("Soil", "#a52a2a")]


def test_values_merged_in_one_category_share_it():
    layer = categorised("code", ([1, 3], "blue", "Water"), (2, "brown", "Soil"))
    assert legend_of(layer, ["code"]) == {"1": WATER, "3": WATER, "2": SOIL}


def test_a_style_by_another_field_says_nothing():
    layer = categorised("name", ("a", "blue", "Water"))
    assert legend_of(layer, ["code", ""]) == {}
    assert legend_of(layer, ["code", "name"]) == {"a": WATER}
    assert legend_of(None, ["code"]) == {}


def test_a_style_stored_in_the_file_counts_where_the_layer_has_none(tmp_path):
    path = str(tmp_path / "samples.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    source = categorised("code", (1, "blue", "Water"), (2, "brown", "Soil"))
    QgsVectorFileWriter.writeAsVectorFormatV3(source, path, QgsCoordinateTransformContext(), options)
    stored = QgsVectorLayer(path, "samples", "ogr")
    stored.setRenderer(source.renderer().clone())
    assert not stored.saveStyleToDatabase("samples", "", True, "")
    plain = QgsVectorLayer(path, "samples", "ogr", QgsVectorLayer.LayerOptions(False))
    plain.setRenderer(QgsSingleSymbolRenderer(symbol("red")))
    assert legend_of(plain, ["code"]) == {"1": WATER, "2": SOIL}


def test_the_name_field_rules_and_the_legend_fills_in():
    legend = {"1": WATER, "2": SOIL}
    infos = class_infos([1, 2, 5], {}, {1: "Lake"}, legend)
    assert [(each.code, each.name) for each in infos] == [(1, "Lake"), (2, "Soil"), (5, "5")]
    assert [each.colour for each in infos][:2] == ["#0000ff", "#a52a2a"]


def test_classes_found_by_text_and_by_name():
    infos = class_infos([1, 2], {1: "wtr", 2: "soil"}, {1: "wtr", 2: "Bare"}, {"wtr": WATER, "Bare": SOIL})
    assert [each.colour for each in infos] == [WATER.colour, SOIL.colour]
    assert [each.name for each in infos] == ["wtr", "Bare"]


def test_names_from_the_layer_are_plain():
    legend = {"1": LegendEntry("a\0b\ud800", "#0000ff"), "2": LegendEntry("x" * 300, "#00ff00")}
    first, second, third = class_infos([1, 2, 3], {}, {3: " c\n"}, legend)
    assert (first.name, third.name) == ("a b\ufffd", "c") and second.name == "x" * 247 + "..."


def test_no_class_without_a_colour_of_its_own():
    infos = class_infos(range(30), {}, {}, {"7": LegendEntry("", "#e69f00")})
    assert infos[7].colour == "#e69f00" and infos[7].name == "7"
    assert len({each.colour for each in infos}) == 30
