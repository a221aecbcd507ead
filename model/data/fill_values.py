"""Numbers that stand for 'no data' in a band although nothing declares them: -9999, -3.4e38, 32767 ...

They are told from measurements by how they lie: a mass of equal pixels at an end of the values, far from all others.
Zero is never taken for one, since real water is often exactly 0, nor easily an end of values that are a few codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ABSURD = 1e30  # nothing that is measured is larger, in whatever unit
_LEAST = 10  # equal pixels that make a mass, at least
_SHARE = 5e-4  # share of the pixels that makes a mass, at least
_CODES = 16  # so many different values or fewer are codes, not measurements
_MIDDLE = (5, 95)  # percentiles between which the spread of the others is taken
_USUAL = 1.5  # times the spread of the others that a number which often stands for no data lies away from them
_OTHER = 4.0  # the same of any other number
_TAIL = 4.0  # times the spread within which pixels on the side of a fill value are measurements
_WILD = 1e6  # the same where the others are only a few codes, and in units where they are all one
_SMEARED = 0.2  # pixels on the way to the others, as a share of the mass: where a warp mixed both
_OFTEN = {99, 999, 9999, 99999, 999999, 32767, 32768, 65535, 2147483647, 2147483648, 4294967295}


@dataclass(frozen=True)
class FillValue:
    """A number found in a band (position from 0), and its share 0..1 of the pixels."""

    band: int
    value: float
    share: float


def find_fill_values(pixels: np.ndarray) -> tuple[tuple[FillValue, ...], np.ndarray]:
    """The fill values among pixels (P, C) of any numeric type, and the pixels without any, bool (P,)."""
    found: list[FillValue] = []
    measured = np.ones(len(pixels), bool)
    for band, column in enumerate(pixels.T):
        fills, low, high = _of_band(column.astype(np.float64))
        if fills:
            found += [FillValue(band, value, count / len(pixels)) for value, count in fills]
            measured &= (column >= low) & (column <= high)
    return tuple(found), measured


def describe(name: str, bands: Sequence[str], fills: Sequence[FillValue]) -> str:
    """A warning for the map maker: the layer, its bands, the values and their shares."""
    groups: dict[float, list[FillValue]] = {}
    for each in fills:
        groups.setdefault(each.value, []).append(each)
    parts = []
    for value, members in groups.items():
        named = ", ".join(bands[each.band] for each in members[:3])
        more = f" and {len(members) - 3} more bands" if len(members) > 3 else ""
        parts.append(f"{value:.9g} in {max(each.share for each in members):.1%} of the pixels ({named}{more})")
    return (
        f"'{name}' seems to use numbers for 'no data' that it does not declare: {'; '.join(parts)}. They are kept out "
        "of its statistics, but such pixels are still learned from and mapped: enter the number as NODATA, Additional "
        "no-data values."
    )


def _of_band(values: np.ndarray) -> tuple[list[tuple[float, int]], float, float]:
    """Fill values with their pixels, and the closed range of the measurements."""
    found, kept = [], values
    low, high = -ABSURD, ABSURD
    if max(-values.min(), values.max()) > ABSURD:
        far = np.abs(values) > ABSURD
        kept = values[~far]
        below, above = int((values < -ABSURD).sum()), int((values > ABSURD).sum())
        found += [(float(values.min()), below)] if below else []
        found += [(float(values.max()), above)] if above else []
    while len(kept):
        ends = [end for end in (kept.min(), kept.max()) if _mass(kept, end, len(values))]
        others = kept[~np.isin(kept, ends)] if ends else kept
        fill = next((end for end in ends if len(others) and _far(kept, end, others)), None)
        if fill is None:
            break
        found.append((float(fill), int((kept == fill).sum())))
        first, last = np.percentile(others, _MIDDLE)
        if fill < first:
            low = max(low, first - min(_TAIL * (last - first), (first - fill) / 2))
        else:
            high = min(high, last + min(_TAIL * (last - first), (fill - last) / 2))
        kept = kept[(kept >= low) & (kept <= high)]
    return found, low, high


def _mass(kept: np.ndarray, end: float, total: int) -> bool:
    return bool(end != 0 and (kept == end).sum() >= max(_LEAST, _SHARE * total))


def _far(kept: np.ndarray, end: float, others: np.ndarray) -> bool:
    """Whether an end of the values lies far from the others, with next to nothing on the way."""
    first, last = np.percentile(others, _MIDDLE)
    gap, spread = (first - end if end < first else end - last), last - first
    often = abs(end) in _OFTEN
    if gap <= (_USUAL if often else _OTHER) * spread:
        return False
    if not often and gap <= _WILD * max(spread, 1.0) and len(np.unique(others)) <= _CODES:
        return False
    between = (np.abs(others - end) < gap / 2).sum()
    return bool(between <= _SMEARED * (kept == end).sum())
