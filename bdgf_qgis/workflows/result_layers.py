"""How the results of Classify are shown once Processing has loaded them: name, place, style, what is said of them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

from qgis.core import QgsLayerMetadata, QgsMapLayer, QgsProcessingContext

from ...model.shared.text import plain_text
from ..style.layer_place import LayerPlace
from ..style.post_processor import name_when_loaded, style_when_loaded
from ..style.raster_style import class_renderer, probability_renderer, style_raster
from ..translation import tr
from .classify import SceneMapped, SceneToMap


def show_results(
    wanted: SceneToMap, mapped: SceneMapped, labels: Mapping[str, str], context: QgsProcessingContext
) -> None:
    """Have results that Processing loads shown: in a group named after scene and model, the map on top.

    labels  the name of each output, by its key
    """
    scene, model = plain_text(mapped.grid), plain_text(Path(wanted.model.path).stem)
    names = {"scene": scene, "model": model}
    group = tr("{scene}, by {model}").format(**names)
    classes = mapped.header.classes
    listed = ", ".join(f"{info.code} {info.name}" for info in classes)
    shown: tuple[tuple[str, str, str, str, Callable[[Any], Any]], ...] = (
        (
            "OUTPUT",
            wanted.output,
            tr("Land cover of {scene}, by {model}"),
            tr("Each pixel holds the code of its class: {classes}.").format(classes=listed),
            lambda provider: class_renderer(classes, provider),
        ),
        (
            "CONFIDENCE",
            wanted.confidence,
            tr("Confidence of {scene}, by {model}"),
            tr("Each pixel holds the probability of the class that the map shows there, 0 to 1."),
            probability_renderer,
        ),
        (
            "PROBABILITIES",
            wanted.probabilities,
            tr("Probabilities of {scene}, by {model}"),
            tr("A band for each class holds its probability, 0 to 1: {classes}.").format(classes=listed),
            probability_renderer,
        ),
    )
    for rank, (key, path, name, content, renderer) in enumerate(shown):
        title = name.format(**names)
        metadata = _metadata(title, content, wanted, mapped)

        def apply(layer: QgsMapLayer, renderer: Any = renderer, metadata: Any = metadata) -> None:
            style_raster(layer, renderer(layer.dataProvider()))
            layer.setMetadata(metadata(layer))

        name_when_loaded(context, path, labels[key], title)
        style_when_loaded(context, path, apply, LayerPlace(group, rank))


def _metadata(
    title: str, content: str, wanted: SceneToMap, mapped: SceneMapped
) -> Callable[[QgsMapLayer], QgsLayerMetadata]:
    """What the layer's properties say of it, made when the layer is there: in the main thread."""
    rasters = "; ".join(f"{raster.name} ({raster.path})" for raster in wanted.rasters.modalities)
    named = ", ".join(raster.name for raster in wanted.rasters.modalities)
    day = datetime.date.today().isoformat()
    made = tr("Mapped by BDGF {version} on {day} with the model {model} from {rasters}.")
    abstract = made.format(version=mapped.lineage.version, day=day, model=Path(wanted.model.path).name, rasters=named)
    history = [
        tr("Rasters: {rasters}").format(rasters=rasters),
        tr("Model: {path}, SHA-256 {digest}").format(path=wanted.model.path, digest=mapped.lineage.model),
        tr("Mapped on {day} by BDGF {version}").format(day=day, version=mapped.lineage.version),
    ]

    def of(layer: QgsMapLayer) -> QgsLayerMetadata:
        metadata = QgsLayerMetadata(layer.metadata())
        metadata.setType("dataset")
        metadata.setTitle(title)
        metadata.setAbstract(plain_text(f"{content} {abstract}"))
        metadata.setCategories([tr("Land cover")])
        metadata.setHistory([plain_text(line) for line in history])
        return metadata

    return of
