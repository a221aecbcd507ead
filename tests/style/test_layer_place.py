"""Results in the layer tree, put there as Processing does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from qgis.core import QgsLayerTree, QgsProcessingContext, QgsProject, QgsVectorLayer

from bdgf.bdgf_qgis.style.layer_place import LayerPlace, take_place


@pytest.fixture
def project(qgis_app: Any) -> Iterator[QgsProject]:
    project = QgsProject.instance()
    project.clear()
    yield project
    insert_into(project, project.layerTreeRoot())  # before the group goes
    project.clear()


def insert_into(project: QgsProject, group: Any) -> None:
    bridge = project.layerTreeRegistryBridge()
    bridge.setLayerInsertionPoint(type(bridge).InsertionPoint(group, 0))


def add(project: QgsProject, name: str, rank: int) -> None:
    layer = QgsVectorLayer("Polygon", name, "memory")
    details = QgsProcessingContext.LayerDetails(name, project, "OUTPUT")
    place = take_place(details, LayerPlace("a scene", rank))
    ids = project.layerTreeRoot().findLayerIds()
    if ids:  # the window adds a layer above the current one, that which was added last
        insert_into(project, project.layerTreeRoot().findLayer(ids[0]).parent())
    project.addMapLayer(layer)
    place(layer)


def shown(group: QgsLayerTree) -> list[Any]:
    return [each.name() if not each.children() else (each.name(), shown(each)) for each in group.children()]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_results_stand_in_one_group_in_their_order(project: QgsProject, order: tuple[int, ...]) -> None:
    names = ("map", "confidence", "probabilities")
    project.addMapLayer(QgsVectorLayer("Polygon", "image", "memory"))
    for rank in order:
        add(project, names[rank], rank)
    assert shown(project.layerTreeRoot()) == [("a scene", list(names)), "image"]
    assert len(project.mapLayers()) == 4
    for rank in order:
        add(project, f"new {names[rank]}", rank)
    expected = [each for name in names for each in (f"new {name}", name)]
    assert sorted(shown(project.layerTreeRoot())[0][1]) == sorted(expected)
    assert [each.split()[-1] for each in shown(project.layerTreeRoot())[0][1]] == [
        each.split()[-1] for each in expected
    ]


def test_newer_versions_group_and_sort_by_themselves() -> None:
    class Details:
        groupName = ""
        layerSortKey = 0

    details = Details()
    take_place(details, LayerPlace("a scene", 1))(None)
    assert (details.groupName, details.layerSortKey) == ("a scene", -1)
