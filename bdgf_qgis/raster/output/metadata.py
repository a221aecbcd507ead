"""What a raster of ours says of itself: its classes, what it holds, which model made it of which rasters.

Classes stand in the attribute table, which GDAL keeps in the `.aux.xml` beside a GeoTIFF, and once more in the metadata
of the GeoTIFF itself, so that they survive where only the raster is copied. The lineage stands in the metadata under
names of our own, survives copies by GDAL (also to a Cloud Optimized GeoTIFF), and keeps results from being taken for
images, or for maps of land that the model has never seen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Optional

import numpy as np
from osgeo import gdal

from ....model.shared.infos import HIGHEST_CODE, ClassInfo, Code, Colour, TrainingPolygons
from ....model.shared.limits import Text
from ....model.shared.rebuild import rebuild
from ....model.shared.strict_json import parse
from ....model.shared.text import plain_text, short_name
from ..errors import RasterError
from ..gdal_calls import gdal_errors

CLASSES = "BDGF_CLASSES"
NO_COLOUR = "#808080"
_NAME_COLUMNS = {"class_name", "name", "class", "label", "classname", "category"}
_VALUE_COLUMNS = {"value", "code", "class_id"}
KIND, MODEL, VERSION, RASTERS, POLYGONS = "BDGF_KIND", "BDGF_MODEL", "BDGF_VERSION", "BDGF_RASTERS", "BDGF_POLYGONS"
_SOURCES = 50  # of a virtual raster that are looked at
_Names = tuple[Annotated[str, Text(10_000)], ...]
_KINDS = {
    "classes": "a class raster that BDGF wrote",
    "confidence": "the confidence of a map that BDGF wrote",
    "probabilities": "the class probabilities that BDGF wrote",
}


def class_type_and_nodata(codes: Sequence[int]) -> tuple[str, int]:
    """The smallest unsigned type (numpy's name) with a value that is no class, and that value.

    It is 0 unless 0 is a class, else the highest value of the type that is free.
    """
    taken = set(codes)
    for kind in ("uint8", "uint16", "uint32"):
        top = int(np.iinfo(kind).max)
        if max(taken, default=0) > top:
            continue
        if 0 not in taken:
            return kind, 0
        if len(taken) <= top:
            return kind, next(value for value in range(top, 0, -1) if value not in taken)
    raise RasterError(f"Class codes lie between 0 and {HIGHEST_CODE}.")


def codes_at(positions: np.ndarray, codes: Sequence[int], dtype: str, nodata: int) -> np.ndarray:
    """Class codes of class positions uint16 (any shape); what is no position (65535) becomes nodata."""
    table = np.full(65_536, nodata, dtype)
    table[: len(codes)] = codes
    result: np.ndarray = table[positions]
    return result


def write_class_table(dataset: Any, classes: Sequence[ClassInfo]) -> None:
    """Put the classes into the first band of an open raster."""
    table = gdal.RasterAttributeTable()
    columns = (
        ("Value", gdal.GFT_Integer, gdal.GFU_MinMax),
        ("Class", gdal.GFT_String, gdal.GFU_Name),
        ("Red", gdal.GFT_Integer, gdal.GFU_Red),
        ("Green", gdal.GFT_Integer, gdal.GFU_Green),
        ("Blue", gdal.GFT_Integer, gdal.GFU_Blue),
    )
    for column in columns:
        table.CreateColumn(*column)
    for row, each in enumerate(classes):
        table.SetValueAsInt(row, 0, each.code)
        table.SetValueAsString(row, 1, each.name)
        for number, start in ((2, 1), (3, 3), (4, 5)):
            table.SetValueAsInt(row, number, int(each.colour[start : start + 2], 16))
    dataset.GetRasterBand(1).SetDefaultRAT(table)
    entries = [[info.code, info.name, info.colour] for info in classes]
    dataset.SetMetadataItem(CLASSES, json.dumps(entries, ensure_ascii=True))


def read_class_table(dataset: Any) -> tuple[ClassInfo, ...]:
    """The classes of an open raster by ascending code; empty where it names none."""
    table = dataset.GetRasterBand(1).GetDefaultRAT()
    found = _from_table(table) if table is not None else ()
    found = found or _from_metadata(dataset.GetMetadataItem(CLASSES))
    return tuple(sorted(found, key=lambda each: each.code))


def _from_table(table: Any) -> tuple[ClassInfo, ...]:
    value = _column(table, (gdal.GFU_MinMax, gdal.GFU_Min), _VALUE_COLUMNS)
    name = _column(table, (gdal.GFU_Name,), _NAME_COLUMNS)
    if value is None or name is None:
        return ()
    colours = [_column(table, (usage,), set()) for usage in (gdal.GFU_Red, gdal.GFU_Green, gdal.GFU_Blue)]
    classes = []
    for row in range(table.GetRowCount()):
        parts = [table.GetValueAsInt(row, column) for column in colours if column is not None]
        colour = "#" + "".join(f"{min(max(each, 0), 255):02x}" for each in parts) if len(parts) == 3 else NO_COLOUR
        code = table.GetValueAsInt(row, value)
        classes.append(ClassInfo(code, short_name(table.GetValueAsString(row, name)) or str(code), colour))
    return tuple(classes)


def _column(table: Any, usages: Sequence[int], names: set[str]) -> Optional[int]:
    columns = range(table.GetColumnCount())
    by_usage = [column for column in columns if table.GetUsageOfCol(column) in usages]
    by_name = [column for column in columns if table.GetNameOfCol(column).strip().lower() in names]
    return next(iter(by_usage + by_name), None)


def _from_metadata(text: Optional[str]) -> tuple[ClassInfo, ...]:
    """What write_class_table() put there; a text of another hand is passed over."""
    try:
        rows = rebuild(tuple[tuple[Code, str, Colour], ...], parse(text or "[]"))
    except ValueError:
        return ()
    return tuple(ClassInfo(code, short_name(name) or str(code), colour) for code, name, colour in rows)


@dataclass(frozen=True)
class Lineage:
    """Where a raster of ours comes from.

    kind      'classes', 'confidence' or 'probabilities'
    model     SHA-256 of the model file; '' where it is not known
    version   of the plugin that wrote the raster
    rasters   names of the layers that it was made of
    polygons  that the model was trained on; a class raster's alone
    """

    kind: str
    model: str = ""
    version: str = ""
    rasters: tuple[str, ...] = ()
    polygons: TrainingPolygons = field(default_factory=TrainingPolygons)

    @property
    def words(self) -> str:
        """What the raster is, in words."""
        return _KINDS[self.kind]

    def metadata(self) -> dict[str, str]:
        """The items of a raster's metadata that say it."""
        entries = {
            KIND: self.kind,
            MODEL: self.model,
            VERSION: self.version,
            RASTERS: json.dumps([plain_text(raster) for raster in self.rasters]),
        }
        if self.kind == "classes":
            entries[POLYGONS] = json.dumps(asdict(self.polygons), separators=(",", ":"))
        return entries


def read_lineage(dataset: Any) -> Optional[Lineage]:
    """Of an open raster; None where it is none of ours. What cannot be read of it is left out.

    A virtual raster keeps none of its own: it is ours where one of the first rasters is that it is made of.
    """
    found = _own_lineage(dataset)
    if found is not None or dataset.GetDriver().ShortName != "VRT":
        return found
    for path in (dataset.GetFileList() or [])[1 : _SOURCES + 1]:  # the first is the virtual raster itself
        source = None
        with suppress(RasterError), gdal_errors(path):  # not all files are rasters
            source = gdal.OpenEx(path, gdal.OF_RASTER)
        found = None if source is None else _own_lineage(source)
        if found is not None:
            return found
    return None


def _own_lineage(dataset: Any) -> Optional[Lineage]:
    found = {key: dataset.GetMetadataItem(key) or "" for key in (KIND, MODEL, VERSION, RASTERS, POLYGONS)}
    kind = found[KIND] if found[KIND] in _KINDS else "classes" if dataset.GetMetadataItem(CLASSES) else ""
    if not kind:
        return None
    rasters = _rebuilt(_Names, found[RASTERS]) or ()
    polygons = _rebuilt(TrainingPolygons, found[POLYGONS]) or TrainingPolygons()
    return Lineage(kind, plain_text(found[MODEL]), plain_text(found[VERSION]), rasters, polygons)


def _rebuilt(kind: Any, text: str) -> Any:
    try:
        return rebuild(kind, parse(text))
    except ValueError:
        return None
