"""JSON from outside: bounded in depth and in the length of numbers, no name twice in a table, all numbers finite.

Standard library only and Python 3.9: both processes import this module.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

_DIGITS = 40  # of a number; Python takes a time that grows with their square


def parse(text: str) -> Any:
    """What a JSON text holds. Raises ValueError, with the reason, for what is none or goes beyond these bounds."""
    try:
        return json.loads(
            text, object_pairs_hook=_table, parse_int=_whole, parse_float=_number, parse_constant=_no_number
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name stands twice in a table")
    return table


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError("a number has too many digits")
    return int(text)


def _number(text: str) -> float:
    if len(text) > _DIGITS or not math.isfinite(value := float(text)):
        raise ValueError("a number has too many digits or is too large")
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
