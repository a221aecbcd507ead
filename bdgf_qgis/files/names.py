"""How long a file's name may be."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Optional

from .conflicts import Written

_USUAL = 255  # bytes of a name, on Windows units of UTF-16


def letters_that_fit(result: Written) -> Optional[int]:
    """How many letters the name of a result may have, its suffix included; None where it is short enough.

    Names of what is written beside it, which hold its own, count as well.
    """
    path = Path(result.path)
    longest = max(_size(Path(each).name) for each in result.files)
    excess = longest - _most(path.parent)
    if excess <= 0:
        return None
    letters = path.stem
    while letters and excess > 0:
        excess -= _size(letters[-1])
        letters = letters[:-1]
    return len(letters) + len(path.suffix)


def _size(name: str) -> int:
    return len(name.encode("utf-16-le", "surrogatepass")) // 2 if sys.platform == "win32" else len(os.fsencode(name))


def _most(folder: Path) -> int:
    """Of a name in a folder, or in that above it that is there."""
    if hasattr(os, "pathconf"):
        for each in (folder, *folder.parents):
            try:
                return os.pathconf(each, "PC_NAME_MAX")
            except (OSError, ValueError):
                continue
    return _USUAL
