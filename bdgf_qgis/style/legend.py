"""The legend of a sample layer: names and colours of its classes, from its categorised style."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from qgis.core import QgsCategorizedSymbolRenderer, QgsRendererCategory, QgsVectorLayer

from ...model.shared.infos import ClassInfo
from ...model.shared.text import plain_text, short_name
from ..raster.samples.classes import code_in, text_of
from .palette import free_colour


@dataclass(frozen=True)
class LegendEntry:
    """How the sample layer shows a class: label and colour as #rrggbb."""

    label: str
    colour: str


Legend = Mapping[str, LegendEntry]


def legend_of(layer: Optional[QgsVectorLayer], fields: Iterable[str]) -> Legend:
    """Entries by key_of() the value, where the layer is categorised by one of the fields; else empty.

    A layer without such a style is opened once more from its file, so that a style stored there counts.
    """
    wanted = {each for each in fields if each}
    for candidate in (layer, _reopened(layer)):
        renderer = candidate.renderer() if candidate is not None and candidate.isValid() else None
        if isinstance(renderer, QgsCategorizedSymbolRenderer) and renderer.classAttribute().strip('"') in wanted:
            return {key: entry for each in renderer.categories() for key, entry in _entries(each)}
    return {}


def _reopened(layer: Optional[QgsVectorLayer]) -> Optional[QgsVectorLayer]:
    if layer is None or layer.providerType() != "ogr":
        return None
    return QgsVectorLayer(layer.source(), layer.name(), "ogr")  # loads the stored default style


def _entries(category: QgsRendererCategory) -> Iterable[tuple[str, LegendEntry]]:
    value = category.value()
    entry = LegendEntry(category.label().strip(), category.symbol().color().name())
    for each in value if isinstance(value, (list, tuple)) else [value]:
        if key_of(each):
            yield key_of(each), entry


def key_of(value: Any) -> str:
    """The text by which a class value is found: 3, 3.0, '3' and '03' are one."""
    text = "" if value is None else plain_text(text_of(value)).strip()
    code = code_in(text)
    return text if code is None else str(code)


def class_infos(
    codes: Iterable[int], values: Mapping[int, str], names: Mapping[int, str], legend: Legend
) -> tuple[ClassInfo, ...]:
    """Classes with name and colour.

    values  per code the text that stands in the class field (for an integer field the code itself)
    names   per code the name of the name field, or of a text class field; where none, the legend's label serves
    """
    codes = list(codes)
    found = {code: (key_of(values.get(code, code)), key_of(names.get(code))) for code in codes}
    entries = {code: legend.get(value) or legend.get(name) for code, (value, name) in found.items()}
    taken = {entry.colour for entry in entries.values() if entry is not None}
    infos = []
    for number, code in enumerate(codes):
        entry = entries[code]
        name = short_name(names.get(code) or (entry.label if entry is not None else "")) or str(code)
        colour = entry.colour if entry is not None else free_colour(taken, number)
        taken.add(colour)
        infos.append(ClassInfo(code, name, colour))
    return tuple(infos)
