"""Dataclasses from what JSON made of them, every value held to its type and to the limits written beside it.

Standard library only and Python 3.9: both processes import this module.
"""

from __future__ import annotations

import math
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from .limits import Count
from .text import plain_text

Kind = TypeVar("Kind", bound=type)
_HINTS = "__rebuild_hints__"
_SHOWN = 40  # characters of a wrong value that a sentence repeats
_PLAIN = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def rebuildable(kind: Kind) -> Kind:
    """Notes the types of a dataclass's fields while its module is there: once QGIS has unloaded the plugin, names in
    annotations can no longer be looked up, and a run may still be under way."""
    setattr(kind, _HINTS, get_type_hints(kind, include_extras=True))
    return kind


def hints_of(kind: type) -> dict[str, Any]:
    """Types of the fields of a class that rebuildable() has seen, by name."""
    found: dict[str, Any] = vars(kind)[_HINTS]
    return found


def rebuild(kind: Any, data: Any, name: str = "") -> Any:
    """A value of type `kind`: a rebuildable dataclass, tuple, optional value, bool, int, float or str, with limits.

    A whole number does for a float; nothing else stands for another type, and numbers are finite. `name` is the value's
    own for messages. Raises ValueError, with what was found and what was expected, where `data` is no such value.
    """
    origin = get_origin(kind)
    if origin is Annotated:
        return _limited(kind, data, name)
    if origin is Union:
        return None if data is None else rebuild(get_args(kind)[0], data, name)
    if origin is tuple:
        return _tuple(get_args(kind), data, name)
    if is_dataclass(kind):
        return _dataclass(kind, data, name)
    fits = type(data) is kind or (kind is float and type(data) is int)
    if not fits or (kind is float and not _finite(data)):
        raise _wrong(name, data, _PLAIN[kind])
    return float(data) if kind is float else data


def _limited(kind: Any, data: Any, name: str) -> Any:
    inner, *limits = get_args(kind)
    for each in limits:  # before what may be millions of entries are looked at
        if isinstance(each, Count) and isinstance(data, (list, tuple)) and not each.least <= len(data) <= each.most:
            raise _wrong(name, data, str(each))
    value = rebuild(inner, data, name)
    for each in limits:
        if not each.admits(value):
            raise _wrong(name, data, str(each))
    return value


def _tuple(items: tuple[Any, ...], data: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise _wrong(name, data, "a list")
    if items[-1] is Ellipsis:
        items = (items[0],) * len(data)
    if len(items) != len(data):
        raise _wrong(name, data, f"a list of {len(items)} entries")
    return tuple(rebuild(item, each, f"{name}[{place}]") for place, (item, each) in enumerate(zip(items, data)))


def _dataclass(kind: Any, data: Any, name: str) -> Any:
    if not isinstance(data, dict):
        raise _wrong(name or kind.__name__, data, "a table")
    prefix, hints = f"{name}." if name else "", hints_of(kind)
    for each in data:
        if each not in hints:
            raise ValueError(f"{prefix}{_shown(each)} is not known")
    for each in fields(kind):
        if each.name not in data and each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"{prefix}{each.name} is missing")
    return kind(**{each: rebuild(hints[each], value, prefix + each) for each, value in data.items()})


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond all floats
        return False


def _wrong(name: str, data: Any, expected: str) -> ValueError:
    return ValueError(f"{name or 'the value'} is {_shown(data)}, where {expected} was expected")


def _shown(value: Any) -> str:
    """The beginning of a value; never the whole of a long one, and nothing that a text must not hold."""
    if isinstance(value, (list, tuple, dict)):
        return f"a {'table' if isinstance(value, dict) else 'list'} of {len(value):,} entries"
    text = plain_text(str(value[: _SHOWN + 1] if isinstance(value, str) else value))
    return f"{text[:_SHOWN]}..." if len(text) > _SHOWN else text or "empty"
