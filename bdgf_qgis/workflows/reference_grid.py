"""Which raster's grid rules where nobody chose one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...model.shared.header import Header
from ...model.shared.messages import SceneInfo
from ..raster.reading.pixel_size import comparable, pixel_metres, side
from ..raster.reading.source import RasterSource, grid_of

_ALIKE = 1.01  # ratio of sizes that are one: zones of UTM differ by less


def finest(sources: Sequence[RasterSource]) -> RasterSource:
    """The raster with the smallest pixels on the ground; of equal ones the first."""
    sizes = [side(_scene(each)) for each in sources]
    return next(each for each, size in zip(sources, sizes) if size <= min(sizes) * _ALIKE)


def nearest(sources: Sequence[RasterSource], header: Header) -> RasterSource:
    """The raster whose pixels are nearest in size to those of a model's training.

    Of equal ones that whose grid ruled there, else the first; the finest where sizes cannot be compared.

    Args:
        sources: in the order of the model's modalities.
    """
    scenes = [_scene(each) for each in sources]
    if not all(comparable(each, header.scene) for each in scenes):
        return finest(sources)
    wanted = side(header.scene)
    distances = [abs(math.log(side(each) / wanted)) for each in scenes]
    alike = [place for place, each in enumerate(distances) if each <= min(distances) + math.log(_ALIKE)]
    own = [place for place in alike if header.modalities[place].name == header.scene.grid]
    return sources[(own or alike)[0]]


def pixel_ratio(here: SceneInfo, there: SceneInfo) -> float:
    """How many times the larger pixel side exceeds the smaller; 1 where sizes cannot be compared."""
    if not comparable(here, there):
        return 1.0
    sizes = (here.pixel_metres, there.pixel_metres) if all(here.pixel_metres) else (here.pixel_size, there.pixel_size)
    ratios = [abs(one / other) for one, other in zip(*sizes)]
    return max(max(ratio, 1 / ratio) for ratio in ratios)


def _scene(source: RasterSource) -> SceneInfo:
    grid = grid_of(source)
    return SceneInfo(grid.wkt, grid.pixel_size, (grid.height, grid.width), source.name, pixel_metres(grid))
