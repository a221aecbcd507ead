"""Where a result stands in the layer tree: in the group of its run, in a stated order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qgis.core import QgsMapLayer, QgsProject

_RANK = "bdgf/rank"


@dataclass(frozen=True)
class LayerPlace:
    """The group's name, and the place in it: 0 is on top."""

    group: str
    rank: int = 0


def take_place(details: Any, place: LayerPlace) -> Callable[[QgsMapLayer], None]:
    """Have a layer that Processing will load stand in its place; what is returned is to be called with the layer.

    details  the context's LayerDetails
    """
    if hasattr(details, "groupName"):  # QGIS 3.32: Processing groups and sorts, after its post-processors
        details.groupName, details.layerSortKey = place.group, -place.rank
        return lambda layer: None
    project = details.project
    return lambda layer: _move(project, layer, place)


def _move(project: QgsProject, layer: QgsMapLayer, place: LayerPlace) -> None:
    node = project.layerTreeRoot().findLayer(layer.id())
    if node is None:
        return
    parent = node.parent()
    if parent.name() == place.group:  # QGIS adds a layer above the current one, which is the result before
        group = parent
    else:
        group = parent.findGroup(place.group) or parent.insertGroup(parent.children().index(node), place.group)
    node.setCustomProperty(_RANK, place.rank)
    ranks = [int(each.customProperty(_RANK, 0)) for each in group.children()]
    group.insertChildNode(max((at + 1 for at, rank in enumerate(ranks) if rank < place.rank), default=0), node.clone())
    parent.removeChildNode(node)  # last: a layer that is nowhere in the tree leaves the project
