"""Additional no-data values as they are typed in: numbers for all rasters, or for one by its name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ..raster.errors import RasterError
from ..raster.reading.raster import Raster
from ..raster.texts import quoted
from ..translation import tr

_MOST = 20  # numbers of one entry


def nodata_values(names: Sequence[str], text: str, aliases: Sequence[str] = ()) -> tuple[tuple[float, ...], ...]:
    """The values that a text such as '-9999; dsm: 0 -32768' adds as no data, for each of the rasters of some names.

    Entries are parted by semicolons, numbers by blanks or commas; a name before a colon keeps them to that raster.

    Args:
        names: of the rasters.
        text: what was typed in.
        aliases: further names of the same rasters, in their order.

    Raises RasterError where an entry holds no number or names no raster.
    """
    known = [{name.casefold()} for name in names]
    for own, alias in zip(known, aliases):
        own.add(alias.casefold())
    found: list[tuple[float, ...]] = [()] * len(names)
    for entry in filter(None, (each.strip() for each in text.split(";"))):
        name, _, numbers = entry.rpartition(":")
        values = _values(numbers, entry)
        wanted = name.strip().casefold()
        places = [place for place, own in enumerate(known) if not wanted or wanted in own]
        if not places:
            message = tr("Additional no-data values: there is no raster '{name}' among {rasters}.")
            raise RasterError(message.format(name=name.strip(), rasters=quoted([*names, *aliases])))
        for place in places:
            found[place] += tuple(values)
    return tuple(found)


def nodata_note(rasters: Iterable[Raster]) -> str:
    """A line for the log on what is taken for no data beside what rasters declare; '' where nothing is."""
    parts = [f"'{each.name}': {' '.join(f'{value:g}' for value in each.added)}" for each in rasters if each.added]
    return tr("Additional no-data values of {rasters}.").format(rasters="; ".join(parts)) if parts else ""


def _values(numbers: str, entry: str) -> list[float]:
    try:
        values = [float(each) for each in numbers.replace(",", " ").split()]
    except ValueError:
        values = []
    if not 1 <= len(values) <= _MOST or not all(map(math.isfinite, values)):
        message = tr("Additional no-data values: '{entry}' is no short list of numbers as in -9999 or dsm: -9999 0.")
        raise RasterError(message.format(entry=entry))
    return values
