"""Which rasters may serve as images of a scene, and which as maps to assess."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import RasterError
from ..texts import quoted
from .raster import Raster


def check_no_result(rasters: Iterable[Raster]) -> None:
    """Raise RasterError, naming the layer, where a raster to learn from or to classify is a result of ours.

    Confidence and probabilities are refused as classes are: they repeat what some polygons taught a model, so that
    accuracy figures of what is learned from them are circular, and 'Select all' takes them in as easily.
    """
    for raster in rasters:
        if raster.lineage is not None:
            raise RasterError(
                f"The layer '{raster.name}' is {raster.lineage.words}, not an image: untick it, or leave it out."
            )


def doubts(rasters: Iterable[Raster]) -> list[str]:
    """A warning that names the rasters whose values have class names, though they are none of ours."""
    named = [raster.name for raster in rasters if raster.classes or raster.categories]
    if not named:
        return []
    text = "Values with class names seem to be codes, no measurements: if {names} shows classes, untick it."
    return [text.format(names=quoted(named))]


def check_is_class_raster(raster: Raster) -> None:
    """Raise RasterError where a raster holds no classes to assess."""
    if raster.lineage is not None and raster.lineage.kind != "classes":
        raise RasterError(f"'{raster.name}' is {raster.lineage.words}, not classes: choose the land-cover map itself.")
    if len(raster.data) != 1:
        raise RasterError(
            f"'{raster.name}' has {len(raster.data)} bands: choose a class raster, which has one band of class codes, "
            "such as a map of Classify; of another raster save the band with the classes to a file."
        )
