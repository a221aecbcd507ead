"""Texts of layers as log, report and model file show them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsProcessingContext,
    QgsProject,
    QgsRasterLayer,
    QgsRendererCategory,
    QgsVectorLayer,
)

from bdgf.bdgf_qgis.algorithms.train import Train
from bdgf.bdgf_qgis.raster.samples.classes import text_of
from bdgf.bdgf_qgis.workflows.polygon_inputs import polygons_of
from bdgf.bdgf_qgis.workflows.qgis_feedback import QgisFeedback
from bdgf.bdgf_qgis.workflows.raster_inputs import raster_of
from bdgf.model.shared.text import LONGEST_NAME, is_plain
from bdgf.tests.algorithms.helpers import Log

ODD = "wa\x1b[31mter\x07"
SHOWN = "wa [31mter "


@pytest.fixture
def project(qgis_app: Any) -> Iterator[QgsProject]:
    yield QgsProject.instance()
    QgsProject.instance().clear()


def test_names_of_rasters(qgis_app: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "image.tif")
    gdal.GetDriverByName("GTiff").Create(path, 4, 4).SetGeoTransform((0, 1, 0, 4, 0, -1))
    assert raster_of(QgsRasterLayer(path, ODD)).name == SHOWN.strip()
    assert len(raster_of(QgsRasterLayer(path, "n" * 5_000)).name) == LONGEST_NAME


def test_classes_that_are_texts_and_their_legend(project: QgsProject) -> None:
    layer = QgsVectorLayer("Polygon?field=kind:string", "samples", "memory")
    project.addMapLayer(layer)
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromWkt("POLYGON((0 0, 1 0, 1 1, 0 0))"))
    feature["kind"] = ODD
    layer.dataProvider().addFeature(feature)
    symbol = QgsFillSymbol.createSimple({"color": "#112233"})
    layer.setRenderer(QgsCategorizedSymbolRenderer("kind", [QgsRendererCategory(ODD, symbol, ODD)]))
    context = QgsProcessingContext()
    context.setProject(project)
    found = polygons_of(Train().create(), {"SAMPLES": layer.id()}, context, "SAMPLES", "kind")
    (polygon,) = found.polygons
    assert polygon.value == SHOWN and is_plain(polygon.name or "")
    assert [(key, entry.colour) for key, entry in found.legend.items()] == [(text_of(polygon.value), "#112233")]


def test_warnings(qgis_app: Any) -> None:
    QgisFeedback(log := Log()).warn(f"{ODD} \ud800\nsecond line")
    assert log.warnings == [f"{SHOWN} \ufffd\nsecond line"]
