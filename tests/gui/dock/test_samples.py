"""Samples go through the editing buffer: each change is one step, and undo takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from bdgf.bdgf_qgis.gui.dock.samples import Samples, SamplesError
from bdgf.model.shared.infos import ClassInfo
from bdgf.tests.gui.dock.layers import CLASSES, UTM, square, training_layer


@pytest.fixture
def project(qgis_app: Any) -> Iterator[QgsProject]:
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def samples(project: QgsProject, tmp_path: Path) -> Iterator[Samples]:
    made = Samples(training_layer(tmp_path / "samples.gpkg"), "class_id", project)
    yield made
    made.close()


def layer_of(samples: Samples) -> QgsVectorLayer:
    assert samples.layer is not None
    return samples.layer


def rows(samples: Samples) -> list[tuple[Any, Any, Any]]:
    return [
        tuple(feature[name] for name in ("class_id", "class_name", "role"))
        for feature in layer_of(samples).getFeatures()
    ]


def fids(samples: Samples) -> list[int]:
    return [feature.id() for feature in layer_of(samples).getFeatures()]


def test_a_drawn_polygon_has_class_name_and_role(samples: Samples) -> None:
    samples.add(square(), UTM, 7)
    samples.add(square(20), UTM, None, "validate")
    assert rows(samples) == [(7, "Grass", "train"), (NULL, NULL, "validate")]
    assert samples.counts() == {7: 1, None: 1}
    layer_of(samples).undoStack().undo()
    assert rows(samples) == [(7, "Grass", "train")]
    layer_of(samples).undoStack().undo()
    assert rows(samples) == []


def test_a_polygon_in_another_reference_system(samples: Samples, project: QgsProject) -> None:
    globe = QgsCoordinateReferenceSystem("EPSG:4326")
    drawn = square()
    drawn.transform(QgsCoordinateTransform(UTM, globe, project))
    samples.add(drawn, globe, 1)
    (feature,) = layer_of(samples).getFeatures()
    assert feature.geometry().area() == pytest.approx(100, abs=0.01)


def test_what_crosses_itself_is_mended_and_parts_are_kept(samples: Samples) -> None:
    samples.add(QgsGeometry.fromWkt("POLYGON((500000 0, 500010 10, 500010 0, 500000 10, 500000 0))"), UTM, 1)
    areas = [feature.geometry().area() for feature in layer_of(samples).getFeatures()]
    assert sum(areas) == pytest.approx(50) and all(
        feature.geometry().isGeosValid() for feature in layer_of(samples).getFeatures()
    )
    layer_of(samples).undoStack().undo()
    assert rows(samples) == [], "one step, whatever the number of parts"


def test_reclassify_and_role_are_one_step_each(samples: Samples) -> None:
    for left in (0, 20):
        samples.add(square(left), UTM, 1)
    samples.reclassify(fids(samples), 2)
    samples.set_role(fids(samples), "ignore")
    assert rows(samples) == [(2, "Trees", "ignore")] * 2
    layer_of(samples).undoStack().undo()
    assert rows(samples) == [(2, "Trees", "train")] * 2
    layer_of(samples).undoStack().undo()
    assert rows(samples) == [(1, "Water", "train")] * 2


def test_merging_and_deleting_classes(samples: Samples) -> None:
    for left, code in ((0, 1), (20, 2), (40, 7)):
        samples.add(square(left), UTM, code)
    samples.change_classes(CLASSES[1:], {1: 2})
    assert samples.counts() == {2: 2, 7: 1} and [info.code for info in samples.classes] == [2, 7]
    samples.change_classes(CLASSES[2:], {2: None})
    assert samples.counts() == {7: 1}
    layer_of(samples).undoStack().undo()
    assert len(rows(samples)) == 3, "polygons are back"


def test_renaming_a_class_renames_its_polygons(samples: Samples) -> None:
    samples.add(square(), UTM, 1)
    samples.change_classes((ClassInfo(1, "Lake", "#0000ff"), *CLASSES[1:]), {1: 1})
    assert rows(samples) == [(1, "Lake", "train")]
    assert [category.label() for category in layer_of(samples).renderer().categories()][:1] == ["Lake"]


def test_edits_are_told_once(samples: Samples) -> None:
    told: list[int] = []
    samples.edited.connect(lambda: told.append(1))
    for left in range(0, 100, 20):
        samples.add(square(left), UTM, 1)
    QCoreApplication.processEvents()
    assert told == [1]
    layer_of(samples).undoStack().undo()
    QCoreApplication.processEvents()
    assert told == [1, 1]


def test_a_class_field_of_names(project: QgsProject) -> None:
    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:32633&field=kind:string", "mine", "memory")
    project.addMapLayer(layer)
    samples = Samples(layer, "kind", project)
    samples.change_classes((ClassInfo(1, "wood", "#00ff00"), ClassInfo(2, "field", "#ffff00")), {})
    assert [(info.code, info.name) for info in samples.classes] == [(2, "wood"), (1, "field")], "codes as in training"
    samples.add(square(), UTM, 2)
    (feature,) = layer.getFeatures()
    assert feature["kind"] == "wood" and samples.counts() == {2: 1}
    with pytest.raises(SamplesError, match="'mine' has no field 'role'"):
        samples.set_role([feature.id()], "ignore")
    samples.close()


def test_what_cannot_be_edited_says_so(project: QgsProject, tmp_path: Path) -> None:
    layer = training_layer(tmp_path / "samples.gpkg")
    layer.setReadOnly(True)
    samples = Samples(layer, "class_id", project)
    with pytest.raises(SamplesError, match="'samples' cannot be edited"):
        samples.add(square(), UTM, 1)
    samples.close()


def test_nothing_without_an_area(samples: Samples) -> None:
    with pytest.raises(SamplesError, match="no area"):
        samples.add(QgsGeometry.fromWkt("POLYGON((0 0, 1 1, 2 2, 0 0))"), UTM, 1)
    assert rows(samples) == [] and not layer_of(samples).isModified()


def test_a_layer_that_goes(samples: Samples, project: QgsProject) -> None:
    gone: list[int] = []
    samples.gone.connect(lambda: gone.append(1))
    project.removeMapLayer(layer_of(samples).id())
    assert gone == [1] and samples.layer is None
