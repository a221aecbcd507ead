"""Which raster's grid rules where nobody chose one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...model.shared.header import Header
from ...model.shared.infos import SceneInfo
from ..raster.reading.pixel_size import comparable, side
from ..raster.reading.raster import Raster

_ALIKE = 1.01  # ratio of sizes that are one: zones of UTM differ by less


def finest(rasters: Sequence[Raster]) -> Raster:
    """The raster with the smallest pixels on the ground; of equal ones the first."""
    sizes = [side(each.scene_info()) for each in rasters]
    return next(each for each, size in zip(rasters, sizes) if size <= min(sizes) * _ALIKE)


def nearest(rasters: Sequence[Raster], header: Header) -> Raster:
    """The raster whose pixels are nearest in size to those of a model's training.

    Of equal ones that whose grid ruled there, else the first; the finest where sizes cannot be compared.

    Args:
        rasters: in the order of the model's modalities.
    """
    scenes = [each.scene_info() for each in rasters]
    if not all(comparable(each, header.scene) for each in scenes):
        return finest(rasters)
    wanted = side(header.scene)
    distances = [abs(math.log(side(each) / wanted)) for each in scenes]
    alike = [place for place, each in enumerate(distances) if each <= min(distances) + math.log(_ALIKE)]
    own = [place for place in alike if header.modalities[place].name == header.scene.grid]
    return rasters[(own or alike)[0]]


def pixel_ratio(here: SceneInfo, there: SceneInfo) -> float:
    """How many times the larger pixel side exceeds the smaller; 1 where sizes cannot be compared."""
    if not comparable(here, there):
        return 1.0
    sizes = (here.pixel_metres, there.pixel_metres) if all(here.pixel_metres) else (here.pixel_size, there.pixel_size)
    ratios = [abs(one / other) for one, other in zip(*sizes)]
    return max(max(ratio, 1 / ratio) for ratio in ratios)
