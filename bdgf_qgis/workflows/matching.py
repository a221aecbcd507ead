"""How rasters fit a model: which is which modality, by names of bands or their number, and whose grid rules."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...model.shared.header import Header
from ...model.shared.infos import ModalityInfo
from ..raster.errors import RasterError
from ..raster.reading.pixel_size import comparable, side
from ..raster.reading.raster import Raster
from ..translation import tr

_MOST = 6  # rasters whose orders are all tried
_ALIKE = 1.01  # ratio of sizes that are one: zones of UTM differ by less


@dataclass(frozen=True)
class Match:
    """Rasters in the model's order, the names of the bands to use of each, and what the log should say.

    The rasters know the no-data values that the model remembers; `order` is their places among those that were given,
    `reference` the place of the one whose grid rules where nobody chose one.
    """

    rasters: tuple[Raster, ...]
    bands: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    order: tuple[int, ...]
    reference: int = 0


def match_modalities(rasters: Sequence[Raster], modalities: Sequence[ModalityInfo]) -> Match:
    """Finds the order of the rasters that fits the model.

    The order given is kept where it fits; band names count more than numbers of bands. Raises RasterError, saying what
    the model expects, where no order fits or several would by the numbers of bands alone.
    """
    if len(rasters) != len(modalities):
        text = tr("The model was trained on {expected} rasters ({names}); {given} were chosen.")
        names = ", ".join(f"'{modality.name}'" for modality in modalities)
        raise RasterError(text.format(expected=len(modalities), names=names, given=len(rasters)))
    orders = (
        list(itertools.permutations(range(len(rasters)))) if len(rasters) <= _MOST else [tuple(range(len(rasters)))]
    )
    for fits, by_name in ((_exact, True), (_named, True), (_counted, False)):
        fitting = [order for order in orders if all(map(fits, (rasters[place] for place in order), modalities))]
        if not fitting:
            continue
        given = tuple(range(len(rasters)))
        if given not in fitting and len(fitting) > 1:
            break
        order = given if given in fitting else fitting[0]
        return _match(rasters, modalities, order, by_name)
    raise RasterError(_no_fit(rasters, modalities))


def _exact(raster: Raster, modality: ModalityInfo) -> bool:
    return _named(raster, modality) and _counted(raster, modality)


def _named(raster: Raster, modality: ModalityInfo) -> bool:
    return raster.find_bands(modality.bands) is not None


def _counted(raster: Raster, modality: ModalityInfo) -> bool:
    return len(raster.data) == len(modality.bands)


def _match(rasters: Sequence[Raster], modalities: Sequence[ModalityInfo], order: Sequence[int], by_name: bool) -> Match:
    pairs = [(rasters[place], modality) for place, modality in zip(order, modalities)]
    notes = []
    if tuple(order) != tuple(range(len(rasters))):
        named = ", ".join(f"'{raster.name}' as {modality.name}" for raster, modality in pairs)
        notes.append(tr("The rasters fit the model in another order, which is used: {order}.").format(order=named))
    for raster, modality in pairs:
        if not _counted(raster, modality):
            text = tr("'{name}' has {count} bands; those that the model was trained on are used: {used}.")
            notes.append(text.format(name=raster.name, count=len(raster.data), used=_some(modality.bands)))
    if not by_name:
        notes.append(tr("Band names differ from those of the training; bands are taken by their order."))
    bands = tuple(modality.bands if by_name else raster.band_names for raster, modality in pairs)
    known = tuple(raster.with_nodata(modality.nodata) for raster, modality in pairs)
    return Match(known, bands, tuple(notes), tuple(order))


def _no_fit(rasters: Sequence[Raster], modalities: Sequence[ModalityInfo]) -> str:
    expected = "; ".join(f"'{each.name}': {len(each.bands)} bands ({_some(each.bands)})" for each in modalities)
    given = "; ".join(f"'{each.name}': {len(each.data)} bands ({_some(each.band_names)})" for each in rasters)
    return tr("The rasters do not fit the model. It expects {expected}. Chosen were {given}.").format(
        expected=expected, given=given
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{names[0]}, {names[1]} ... {names[-1]}"


def finest(rasters: Sequence[Raster]) -> Raster:
    """The raster with the smallest pixels on the ground; of equal ones the first."""
    sizes = [side(raster.scene_info()) for raster in rasters]
    return next(raster for raster, size in zip(rasters, sizes) if size <= min(sizes) * _ALIKE)


def nearest(rasters: Sequence[Raster], header: Header) -> Raster:
    """The raster whose pixels are nearest in size to those of a model's training.

    Of equal ones that whose grid ruled there, else the first; the finest where sizes cannot be compared.

    Args:
        rasters: in the order of the model's modalities.
    """
    scenes = [raster.scene_info() for raster in rasters]
    if not all(comparable(scene, header.scene) for scene in scenes):
        return finest(rasters)
    wanted = side(header.scene)
    distances = [abs(math.log(side(scene) / wanted)) for scene in scenes]
    alike = [place for place, far in enumerate(distances) if far <= min(distances) + math.log(_ALIKE)]
    own = [place for place in alike if header.modalities[place].name == header.scene.grid]
    return rasters[(own or alike)[0]]
