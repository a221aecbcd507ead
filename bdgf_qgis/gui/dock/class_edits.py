"""What can be done with a list of classes: each returns a new list, or raises ValueError with a sentence."""

from __future__ import annotations

from dataclasses import replace

from ....model.shared.infos import HIGHEST_CODE, ClassInfo
from ....model.shared.text import short_name
from ...style.layer_classes import free_code
from ...style.palette import free_colour
from ...translation import tr

Classes = tuple[ClassInfo, ...]


def added(classes: Classes, name: str) -> Classes:
    """One class more, with a code and a colour that are free."""
    colour = free_colour({info.colour for info in classes}, len(classes))
    return (*classes, ClassInfo(free_code(classes), _free_name(classes, name), colour))


def renamed(classes: Classes, code: int, name: str) -> Classes:
    """The class has another name."""
    others = tuple(info for info in classes if info.code != code)
    return _changed(classes, code, name=_free_name(others, name))


def recoloured(classes: Classes, code: int, colour: str) -> Classes:
    """The class has another colour, #rrggbb."""
    return _changed(classes, code, colour=colour)


def recoded(classes: Classes, code: int, other: int) -> Classes:
    """The class has another code; polygons keep the old one until they are moved."""
    if not 0 <= other <= HIGHEST_CODE:
        raise ValueError(tr("A class code is a whole number from 0 to {highest:,}.").format(highest=HIGHEST_CODE))
    if other != code and any(info.code == other for info in classes):
        raise ValueError(tr("The code {code} is taken by another class.").format(code=other))
    return _changed(classes, code, code=other)


def moved(classes: Classes, code: int, places: int) -> Classes:
    """The class stands some places further down the list; up where negative."""
    order = [info.code for info in classes]
    here = order.index(code)
    there = min(max(here + places, 0), len(order) - 1)
    order.insert(there, order.pop(here))
    by_code = {info.code: info for info in classes}
    return tuple(by_code[one] for one in order)


def without(classes: Classes, code: int) -> Classes:
    """The class is gone."""
    return tuple(info for info in classes if info.code != code)


def _changed(classes: Classes, which: int, **values: object) -> Classes:
    return tuple(replace(info, **values) if info.code == which else info for info in classes)  # type: ignore[arg-type]


def _free_name(classes: Classes, name: str) -> str:
    name = short_name(name)
    if not name:
        raise ValueError(tr("A class needs a name."))
    if any(info.name.casefold() == name.casefold() for info in classes):
        raise ValueError(tr("There is a class '{name}' already.").format(name=name))
    return name
