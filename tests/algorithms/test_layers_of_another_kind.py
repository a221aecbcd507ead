"""Points, lines and tables in place of polygons, and fields that hold no classes: told before a run starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal, ogr
from qgis.core import QgsField, QgsProcessingContext, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QVariant

from bdgf.tests.algorithms.helpers import Scene, algorithm, project_layer, refused

POLYGON = "POLYGON ((500000 5000000, 500010 5000000, 500010 5000010, 500000 5000000))"
KINDS = {
    "points": (ogr.wkbPoint, "POINT (1 2)", "has points: draw polygons"),
    "lines": (ogr.wkbMultiLineString, "MULTILINESTRING ((1 2, 3 4))", "has lines: draw polygons"),
    "table": (ogr.wkbNone, "", "is a table without geometry: choose a layer of polygons"),
}
FIELDS = {
    "day": (ogr.OFTDate, ogr.OFSTNone, "dates"),
    "moment": (ogr.OFTDateTime, ogr.OFSTNone, "dates with times"),
    "yes": (ogr.OFTInteger, ogr.OFSTBoolean, "true and false"),
    "bytes": (ogr.OFTBinary, ogr.OFSTNone, "binary data"),
    "tree": (ogr.OFTString, ogr.OFSTJSON, "JSON"),
}


def layer_of(path: Path, kind: int, wkt: str) -> str:
    """A layer of one feature with a field of each type."""
    vectors = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = vectors.CreateLayer(path.stem, geom_type=kind)
    layer.CreateField(ogr.FieldDefn("class_id", ogr.OFTInteger))
    for name, (type_, subtype, _) in FIELDS.items():
        field = ogr.FieldDefn(name, type_)
        field.SetSubType(subtype)
        layer.CreateField(field)
    feature = ogr.Feature(layer.GetLayerDefn())
    feature.SetField("class_id", 1)
    if wkt:
        feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
    layer.CreateFeature(feature)
    return str(path)


def said_by(name: str, parameters: dict[str, Any]) -> str:
    """What checkParameterValues answers."""
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    fine, text = algorithm(name).checkParameterValues(parameters, context)
    return "" if fine else text


def takers(scene: Scene, layer: str, model: str = "") -> dict[str, dict[str, Any]]:
    """Parameters of all algorithms that take polygons."""
    rasters = {"MODALITIES": scene.rasters}
    return {
        "train": {**rasters, "SAMPLES": layer, "CLASS_FIELD": "class_id"},
        "assess": {"CLASSIFICATION": scene.truth, "REFERENCE": layer, "CLASS_FIELD": "class_id"},
        "classify": {**rasters, "MODEL": model, "MASK": layer, "OUTPUT": "map.tif"},
    }


@pytest.mark.parametrize("kind", list(KINDS))
def test_layers_without_polygons(trained: Any, scene: Scene, tmp_path: Path, kind: str):
    geometry, wkt, said = KINDS[kind]
    path = layer_of(tmp_path / f"my {kind}.gpkg", geometry, wkt)
    for layer in (path, project_layer(path).id()):  # the layer in the project is named otherwise
        for name, parameters in takers(scene, layer, trained.model).items():
            answer = said_by(name, parameters)
            assert "The layer 'my" in answer and said in answer, name
    assert said in refused("train", takers(scene, path)["train"])


@pytest.mark.parametrize("field", list(FIELDS))
def test_fields_that_hold_no_classes(scene: Scene, tmp_path: Path, field: str):
    path = layer_of(tmp_path / "drawn.gpkg", ogr.wkbPolygon, POLYGON)
    said = f"The field '{field}' of the layer 'drawn' holds {FIELDS[field][2]}, not "
    for name in ("train", "assess"):
        parameters = takers(scene, path)[name]
        assert said_by(name, parameters) == ""
        answer = said_by(name, {**parameters, "CLASS_FIELD": field})
        assert answer.startswith(f"{said}classes: choose a field of whole numbers or texts (") and "class_id" in answer
    answer = said_by("train", {**takers(scene, path)["train"], "NAME_FIELD": field})
    assert answer.startswith(f"{said}names: choose a field of texts, or none")


def test_lists_are_no_classes(scene: Scene):
    listed = QgsVectorLayer("Polygon?crs=EPSG:32632&field=class_id:integer", "listed", "memory")
    listed.dataProvider().addAttributes([QgsField("tags", QVariant.StringList, "list", subType=QVariant.String)])
    listed.updateFields()
    QgsProject.instance().addMapLayer(listed)
    answer = said_by("assess", {**takers(scene, listed.id())["assess"], "CLASS_FIELD": "tags"})
    assert "The field 'tags' of the layer 'listed' holds lists, not classes" in answer


def test_a_layer_of_anything_needs_a_polygon(scene: Scene, tmp_path: Path):
    bare = layer_of(tmp_path / "bare.gpkg", ogr.wkbGeometryCollection, "GEOMETRYCOLLECTION (POINT (1 2))")
    assert "The layer 'bare' has no polygon among its features" in refused("assess", takers(scene, bare)["assess"])
    mixed = str(tmp_path / "mixed.gpkg")
    gdal.VectorTranslate(mixed, scene.validation, format="GPKG", geometryType="GEOMETRYCOLLECTION")
    assert said_by("assess", takers(scene, mixed)["assess"]) == ""
