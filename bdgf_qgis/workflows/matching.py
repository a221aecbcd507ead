"""Which raster is which modality of a model: by the names of the bands, else by their number."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ...model.shared.messages import ModalityInfo
from ..raster.errors import RasterError
from ..raster.reading.source import BandList, RasterSource, bands_of, find_bands
from ..translation import tr

_MOST = 6  # rasters whose orders are all tried


@dataclass(frozen=True)
class Match:
    """Rasters in the model's order, the names of the bands to use of each, and what the log should say."""

    sources: tuple[RasterSource, ...]
    bands: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def match_modalities(sources: Sequence[RasterSource], modalities: Sequence[ModalityInfo]) -> Match:
    """Finds the order of the rasters that fits the model.

    The order given is kept where it fits; band names count more than numbers of bands. Raises RasterError, saying what
    the model expects, where no order fits or several would by the numbers of bands alone.
    """
    if len(sources) != len(modalities):
        text = tr("The model was trained on {expected} rasters ({names}); {given} were chosen.")
        names = ", ".join(f"'{each.name}'" for each in modalities)
        raise RasterError(text.format(expected=len(modalities), names=names, given=len(sources)))
    lists = [bands_of(each) for each in sources]
    orders = (
        list(itertools.permutations(range(len(sources)))) if len(sources) <= _MOST else [tuple(range(len(sources)))]
    )
    for fits, by_name in ((_exact, True), (_named, True), (_counted, False)):
        fitting = [order for order in orders if all(fits(lists[at], each) for at, each in zip(order, modalities))]
        if not fitting:
            continue
        given = tuple(range(len(sources)))
        if given not in fitting and len(fitting) > 1:
            break
        order = given if given in fitting else fitting[0]
        return _match([sources[at] for at in order], [lists[at] for at in order], modalities, order != given, by_name)
    raise RasterError(_no_fit(sources, lists, modalities))


def _exact(bands: BandList, modality: ModalityInfo) -> bool:
    return _named(bands, modality) and _counted(bands, modality)


def _named(bands: BandList, modality: ModalityInfo) -> bool:
    return find_bands(bands, modality.bands) is not None


def _counted(bands: BandList, modality: ModalityInfo) -> bool:
    return len(bands.numbers) == len(modality.bands)


def _match(
    sources: Sequence[RasterSource],
    lists: Sequence[BandList],
    modalities: Sequence[ModalityInfo],
    reordered: bool,
    by_name: bool,
) -> Match:
    notes = []
    if reordered:
        order = ", ".join(f"'{source.name}' as {each.name}" for source, each in zip(sources, modalities))
        notes.append(tr("The rasters fit the model in another order, which is used: {order}.").format(order=order))
    for source, bands, modality in zip(sources, lists, modalities):
        if len(bands.numbers) != len(modality.bands):
            text = tr("'{name}' has {count} bands; those that the model was trained on are used: {used}.")
            notes.append(text.format(name=source.name, count=len(bands.numbers), used=_some(modality.bands)))
    if not by_name:
        notes.append(tr("Band names differ from those of the training; bands are taken by their order."))
    chosen = tuple(each.bands if by_name else bands.names for each, bands in zip(modalities, lists))
    return Match(tuple(sources), chosen, tuple(notes))


def _no_fit(sources: Sequence[RasterSource], lists: Sequence[BandList], modalities: Sequence[ModalityInfo]) -> str:
    expected = "; ".join(f"'{each.name}': {len(each.bands)} bands ({_some(each.bands)})" for each in modalities)
    given = "; ".join(
        f"'{source.name}': {len(bands.numbers)} bands ({_some(bands.names)})" for source, bands in zip(sources, lists)
    )
    return tr("The rasters do not fit the model. It expects {expected}. Chosen were {given}.").format(
        expected=expected, given=given
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{names[0]}, {names[1]} ... {names[-1]}"
