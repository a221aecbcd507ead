"""What a raster of ours says of itself: what it holds, which model made it of which rasters, who trained that model.

It stands in the metadata of the GeoTIFF under names of our own, survives copies by GDAL (also to a Cloud Optimized
GeoTIFF), and keeps results from being taken for images, or for maps of land that the model has never seen.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Optional

from osgeo import gdal

from ....model.shared.infos import TrainingPolygons
from ....model.shared.limits import Text
from ....model.shared.rebuild import rebuild
from ....model.shared.strict_json import parse
from ....model.shared.text import plain_text
from ..errors import RasterError
from ..gdal_calls import gdal_errors
from .class_table import METADATA as CLASSES

KIND, MODEL, VERSION, RASTERS, POLYGONS = "BDGF_KIND", "BDGF_MODEL", "BDGF_VERSION", "BDGF_RASTERS", "BDGF_POLYGONS"
_SOURCES = 50  # of a virtual raster that are looked at
_Names = tuple[Annotated[str, Text(10_000)], ...]
_KINDS = {
    "classes": "a class raster that BDGF wrote",
    "confidence": "the confidence of a map that BDGF wrote",
    "probabilities": "the class probabilities that BDGF wrote",
}


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
            RASTERS: json.dumps([plain_text(each) for each in self.rasters]),
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
