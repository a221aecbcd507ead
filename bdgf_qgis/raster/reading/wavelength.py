"""The wavelength that a band was taken at, from its metadata or its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

_NANOMETRES = {"nm": 1.0, "nanometer": 1.0, "um": 1000.0, "\u00b5m": 1000.0, "\u03bcm": 1000.0, "micrometer": 1000.0}
_IN_NAME = re.compile(
    r"([0-9]+(?:\.[0-9]+)?)\s*(nm|nanomet(?:er|re)s?|[u\u00b5\u03bc]m|micromet(?:er|re)s?)\b", re.IGNORECASE
)
_SHORTEST, _LONGEST = 100.0, 100_000.0  # nanometres: beyond them a number is something else


def wavelength_of(band: Any) -> Optional[float]:
    """Nanometres of an open band; None where nothing says it.

    GDAL's domain IMAGERY comes first, then ENVI's items `wavelength` and `wavelength_units`, then a name such as
    'B1 blue (485 nm)'.
    """
    imagery = band.GetMetadataItem("CENTRAL_WAVELENGTH_UM", "IMAGERY")
    if imagery is not None:
        return _nanometres(imagery, "um")
    items = {name.lower(): value for name, value in (band.GetMetadata() or {}).items()}
    named = _IN_NAME.search(band.GetDescription() or "")
    return _from_items(items) or (None if named is None else _nanometres(named[1], named[2]))


def _from_items(items: Mapping[str, str]) -> Optional[float]:
    number = items.get("wavelength")
    if number is None:
        return None
    return _nanometres(number, items.get("wavelength_units", "nm"))


def _nanometres(number: str, unit: str) -> Optional[float]:
    unit = unit.strip().lower().replace("metre", "meter").rstrip("s")
    try:
        length = float(number) * _NANOMETRES[unit]
    except (ValueError, KeyError):
        return None
    return length if _SHORTEST <= length <= _LONGEST else None
