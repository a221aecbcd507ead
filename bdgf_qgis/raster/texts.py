"""Words for messages: counts, lengths, lists."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: '1 pixel', '2,000 pixels'."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def rounded(length: float) -> str:
    """A length with the digits that matter: '0.00047', '52.1', '1,235'."""
    return f"{length:,.0f}" if length >= 100 else f"{length:.3g}"


def listed(items: Sequence[object], most: int = 20) -> str:
    """Items with commas; of many the first, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(map(str, items[:most])) + more


def quoted(names: Sequence[str]) -> str:
    """Layer names, each once, in quotes."""
    return ", ".join(f"'{name}'" for name in dict.fromkeys(names))
