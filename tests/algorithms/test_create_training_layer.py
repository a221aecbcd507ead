"""The training layer: an empty GeoPackage that brings style and form."""

from __future__ import annotations

import os
import sqlite3

import pytest
from qgis.core import (
    NULL,
    QgsCategorizedSymbolRenderer,
    QgsEditFormConfig,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProject,
    QgsRenderContext,
    QgsVectorLayer,
    QgsVectorLayerUtils,
    QgsWkbTypes,
)
from qgis.gui import QgsAttributeDialog, QgsAttributeEditorContext
from qgis.PyQt.QtWidgets import QComboBox, QDialogButtonBox

from bdgf.bdgf_qgis.style.legend import legend_of
from bdgf.bdgf_qgis.workflows.create_training_layer import parse_classes
from bdgf.tests.algorithms.helpers import Log, algorithm

CLASSES = ["1.0", "Water", "#1f78b4", 7, "Farmer's field", "", 0, "Bare soil", "saddlebrown"]


def create(path, cells=CLASSES, crs="EPSG:32633") -> Log:
    """Run without the checks of the dialog, as a model does; raises what the algorithm raises."""
    log = Log()
    parameters = {"CLASSES": cells, "CRS": crs, "OUTPUT": str(path)}
    results, ok = algorithm("createtraininglayer").run(parameters, QgsProcessingContext(), log, {}, False)
    assert ok and results == {"OUTPUT": str(path)}
    return log


@pytest.fixture
def layer(tmp_path) -> QgsVectorLayer:
    path = tmp_path / "a folder, ünïcode" / "my samples.gpkg"
    create(path)
    assert os.listdir(path.parent) == [path.name]
    return QgsVectorLayer(str(path), "samples", "ogr")


def test_the_file_holds_polygons_with_code_and_name(layer):
    assert layer.isValid() and layer.featureCount() == 0 and layer.crs().authid() == "EPSG:32633"
    assert layer.wkbType() == QgsWkbTypes.Polygon
    assert [each.name() for each in layer.fields()][1:] == ["class_id", "class_name", "role"]


def test_the_stored_style_is_loaded_with_the_file(layer):
    renderer = layer.renderer()
    assert isinstance(renderer, QgsCategorizedSymbolRenderer) and renderer.classAttribute() == "class_id"
    *listed, without = renderer.categories()
    assert without.value() in (None, NULL, "") and without.label() == "no class"
    shown = [(int(each.value()), each.label(), each.symbol().color().name()) for each in listed]
    assert [each[:2] for each in shown] == [(1, "Water"), (7, "Farmer's field"), (0, "Bare soil")]
    colours = [each[2] for each in shown]
    assert (colours[0], colours[2]) == ("#1f78b4", "#8b4513") and len(set(colours)) == 3


def test_the_form_offers_the_classes_and_fills_in_the_name(layer):
    field = layer.fields().lookupField("class_id")
    assert layer.editorWidgetSetup(field).type() == "ValueMap"
    assert layer.editorWidgetSetup(field).config()["map"] == [{"Water": 1}, {"Farmer's field": 7}, {"Bare soil": 0}]
    square = QgsGeometry.fromWkt("POLYGON((0 0, 1 0, 1 1, 0 0))")
    for code, name in ((7, "Farmer's field"), (0, "Bare soil")):
        drawn = QgsVectorLayerUtils.createFeature(layer, square, {field: code})
        assert drawn["class_name"] == name


def test_the_form_begins_with_the_class_and_keeps_no_polygon_without(layer):
    fields = [each.name() for each in layer.editFormConfig().tabs()]
    assert layer.editFormConfig().layout() == QgsEditFormConfig.TabLayout
    assert fields == ["class_id", "class_name", "role", "fid"] and layer.editFormConfig().reuseLastValue(1)
    layer.startEditing()
    square = QgsGeometry.fromWkt("POLYGON((0 0, 1 0, 1 1, 0 0))")
    drawn = QgsVectorLayerUtils.createFeature(layer, square)
    dialog = QgsAttributeDialog(layer, drawn, False, None, True)
    dialog.setMode(QgsAttributeEditorContext.AddFeatureMode)
    dialog.show()
    keep = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.Ok)
    choice, role = (box for box in dialog.findChildren(QComboBox) if box.isVisible())
    assert role.currentText() == "train"
    assert not keep.isEnabled() and choice.currentText() == "(NULL)"
    choice.setCurrentText("Farmer's field")
    assert keep.isEnabled()
    dialog.accept()
    (kept,) = layer.getFeatures()
    assert (kept["class_id"], kept["class_name"], kept["role"]) == (7, "Farmer's field", "train")


def test_a_polygon_without_a_class_is_seen(layer):
    renderer, context = layer.renderer(), QgsRenderContext()
    renderer.startRender(context, layer.fields())
    feature = QgsFeature(layer.fields())
    symbols = {}
    for code in (7, 99, NULL):
        feature["class_id"] = code
        symbols[code if code != NULL else None] = renderer.originalSymbolForFeature(feature, context)
    styles = {code: each.symbolLayer(0).properties()["style"] for code, each in symbols.items()}
    renderer.stopRender(context)
    assert styles == {7: "solid", 99: "diagonal_x", None: "diagonal_x"}
    assert set(legend_of(layer, ["class_id"])) == {"1", "7", "0"}, "it is no class"


def test_drawing_and_saving_works(layer):
    assert layer.startEditing()
    square = QgsGeometry.fromWkt("POLYGON((0 0, 1 0, 1 1, 0 0))")
    assert layer.addFeature(QgsVectorLayerUtils.createFeature(layer, square, {1: 1}))
    assert layer.commitChanges(), layer.commitErrors()
    assert layer.featureCount() == 1


def test_the_file_needs_no_further_files_to_be_read(layer):
    with sqlite3.connect(layer.source().split("|")[0]) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_without_a_crs_it_is_made_all_the_same(tmp_path):
    log = create(tmp_path / "samples.gpkg", crs="")
    assert "no coordinate reference system" in log.warned
    layer = QgsVectorLayer(str(tmp_path / "samples.gpkg"), "samples", "ogr")
    assert "Undefined Cartesian" in layer.crs().toWkt() and not layer.crs().isGeographic()


def test_processing_loads_it_with_style_and_form(qgis_new_project, tmp_path):
    import processing

    parameters = {"CLASSES": CLASSES, "CRS": "EPSG:32633", "OUTPUT": str(tmp_path / "samples.gpkg")}
    processing.runAndLoadResults("bdgf:createtraininglayer", parameters)
    (loaded,) = QgsProject.instance().mapLayers().values()
    assert [each.label() for each in loaded.renderer().categories()] == [
        "Water",
        "Farmer's field",
        "Bare soil",
        "no class",
    ]
    assert loaded.editorWidgetSetup(1).type() == "ValueMap"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([], "rows of three"),
        ([1, "Water"], "rows of three"),
        ([1, " ", "red"], "name is empty"),
        ([1.5, "Water", "red"], "1.5 is no whole number"),
        ([65536, "Water", "red"], "from 0 to 65,535"),
        ([-1, "Water", "red"], "from 0 to 65,535"),
        (["x", "Water", "red"], "x is no whole number"),
        (["nan", "Water", "red"], "nan is no whole number"),
        ([None, "Water", "red"], "no whole number"),
        ([1, "Water", "no colour"], "no colour is no colour"),
        ([1, "Water", "", 1, "Soil", ""], "code 1 stands twice"),
        ([1, "Water", "", 2, "Water", ""], "name Water stands twice"),
    ],
)
def test_a_wrong_table_is_explained(tmp_path, cells, said):
    with pytest.raises(ValueError, match=said):
        parse_classes(cells)
    with pytest.raises(QgsProcessingException, match=said):
        create(tmp_path / "samples.gpkg", cells)
    if cells:
        parameters = {"CLASSES": cells, "CRS": "EPSG:32633", "OUTPUT": str(tmp_path / "samples.gpkg")}
        fine, text = algorithm("createtraininglayer").checkParameterValues(parameters, QgsProcessingContext())
        assert not fine and said in text
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("place", ["samples.shp", "file/samples.gpkg"])
def test_a_place_that_cannot_be_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(QgsProcessingException) as raised:
        create(tmp_path / place)
    assert str(tmp_path / place) in str(raised.value)
    assert os.listdir(tmp_path) == ["file"]


def test_a_second_run_replaces_the_file(tmp_path):
    create(tmp_path / "samples.gpkg")
    create(tmp_path / "samples.gpkg", [3, "Snow", "white"])
    layer = QgsVectorLayer(str(tmp_path / "samples.gpkg"), "samples", "ogr")
    assert [each.label() for each in layer.renderer().categories()] == ["Snow", "no class"]
    assert os.listdir(tmp_path) == ["samples.gpkg"]
