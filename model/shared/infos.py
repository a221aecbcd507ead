"""What jobs and model files say of classes, rasters and scenes, and the kinds of values in them.

Standard library only and Python 3.9: both processes import this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .limits import Count, OneOf, Pattern, Range, Text
from .rebuild import rebuildable
from .text import LONGEST_NAME

MOST_CLASSES = 1000
HIGHEST_CODE = 65_535  # of a class
MOST_MODALITIES = 256
MOST_CHANNELS = 4_096  # that all modalities together become
MOST_DIGESTS = 2_048  # polygons by which a training is known again
LONGEST_VALUE = 1_000  # characters of a class field's value that are kept
NUMERIC = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")

Name = Annotated[str, Text(LONGEST_NAME)]
Code = Annotated[int, Range(0, HIGHEST_CODE)]
Colour = Annotated[str, Pattern("#[0-9a-fA-F]{6}", "a colour as #rrggbb")]
AnyNumber = Annotated[float, Range(-1.8e308, 1.8e308)]  # any that is finite
PixelSide = Annotated[float, Range(1e-12, 1e12)]
PixelMetres = Annotated[float, Range(0, 1e12)]
GridSide = Annotated[int, Range(1, 2**31 - 1)]
Seed = Annotated[int, Range(0, 2**31 - 1)]
Version = Annotated[str, Text(100)]
Digest = Annotated[str, Pattern("[0-9a-f]{64}|", "a SHA-256 hash")]  # '' where nobody asked for it
Pixels = Annotated[int, Range(0, 10**15)]
MOST_WHOLE = 2**62  # what an index holds
Whole = Annotated[int, Range(0, MOST_WHOLE)]  # of pixels, steps, moves


@rebuildable
@dataclass(frozen=True)
class ClassInfo:
    """A land-cover class: the code in the map, its name, its colour as #rrggbb."""

    code: Code
    name: Name
    colour: Colour


@rebuildable
@dataclass(frozen=True)
class ModalityInfo:
    """One co-registered raster: its name, the names of the bands in use, and their numeric type (numpy name).

    nodata  finite numbers that are no data in it, beside those that the raster declares
    """

    name: Name
    bands: Annotated[tuple[Name, ...], Count(1, 65_536)]
    dtype: Annotated[str, OneOf(NUMERIC)]
    nodata: Annotated[tuple[AnyNumber, ...], Count(0, 100)] = ()


@rebuildable
@dataclass(frozen=True)
class SceneInfo:
    """Where training happened: CRS as WKT ('' without one), pixel size in its units, grid size (rows, columns).

    grid          name of the raster that gave the grid, '' where that is not known
    pixel_metres  width and height of a pixel on the ground in the scene's middle, positive; 0 where that is not known
    """

    crs: Annotated[str, Text(100_000)]
    pixel_size: tuple[PixelSide, PixelSide]
    shape: tuple[GridSide, GridSide]
    grid: Name = ""
    pixel_metres: tuple[PixelMetres, PixelMetres] = (0.0, 0.0)


@rebuildable
@dataclass(frozen=True)
class TrainingPolygons:
    """The polygons that a model was trained on, so that they are known again where they come as reference.

    count    how many
    digests  64 bits of each, ascending; of many the lowest, see raster/samples/polygon_digests.py
    values   per class of the model, what stands in the class field
    """

    count: Annotated[int, Range(0, 2**31 - 1)] = 0
    digests: Annotated[tuple[Annotated[int, Range(0, 2**64 - 1)], ...], Count(0, MOST_DIGESTS)] = ()
    values: Annotated[tuple[Annotated[str, Text(LONGEST_VALUE)], ...], Count(0, 65_536)] = ()


Modalities = Annotated[tuple[ModalityInfo, ...], Count(1, MOST_MODALITIES)]
Classes = Annotated[tuple[ClassInfo, ...], Count(0, MOST_CLASSES)]
