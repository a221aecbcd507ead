"""Words for messages: counts, lists, and what became of polygons."""

from __future__ import annotations

from collections.abc import Sequence

from .samples.shapes import Shapes


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: '1 pixel', '2,000 pixels'."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def rounded(length: float) -> str:
    """A length with the digits that matter: '0.00047', '52.1', '1,235'."""
    return f"{length:,.0f}" if length >= 100 else f"{length:.3g}"


def listed(items: Sequence[object], most: int = 20) -> str:
    """Items with commas; of many the first, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(str(each) for each in items[:most]) + more


def quoted(names: Sequence[str]) -> str:
    """Layer names, each once, in quotes."""
    return ", ".join(f"'{each}'" for each in dict.fromkeys(names))


def geometry_notes(found: Shapes, without: int, conflicts: int, thin: int = 0) -> list[str]:
    """What became of polygons that are not simply used: without a class, broken, thin, in conflict."""
    lines = []
    if without:
        lines.append(f"{counted(without, 'polygon')} without a class left out.")
    if found.repaired:
        lines.append(f"Broken geometry repaired in polygons {listed(found.repaired)}.")
    for reason in dict.fromkeys(reason for _, reason in found.skipped):
        lines.append(f"Polygons left out ({reason}): {listed([fid for fid, why in found.skipped if why == reason])}.")
    if thin:
        lines.append(f"{counted(thin, 'polygon')} too thin to hold a pixel centre: the pixels touched are used.")
    if conflicts:
        lines.append(f"{counted(conflicts, 'pixel')} claimed by two classes left out.")
    return lines
