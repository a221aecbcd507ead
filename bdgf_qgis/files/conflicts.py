"""Whether a result may be written where it is wanted: its name fits, and it destroys no file that is read, no result.

Files are compared by where they really lie: through links and hard links; names that differ only in case, or in the
form of letters with accents, are one, as many disks have it. What belongs beside a file counts as part of it.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

_AFTER_NAME = (".aux.xml", ".ovr", ".msk", ".xml", ".vat.dbf", ".vat.cpg", ".points", "-wal", "-shm", "-journal")
_AFTER_STEM = (
    ".qml", ".qmd", ".sld", ".prj", ".qpj", ".cpg", ".cst", ".shp", ".shx", ".dbf", ".sbn", ".sbx", ".qix", ".qid",
    ".idm", ".ind", ".mshp", ".hdr", ".wld", ".tfw", ".tifw", ".tiffw", ".jgw", ".pgw", ".pngw", ".j2w", ".aux", ".rrd",
    ".rde", ".ige", ".img", ".imd", ".rpb", ".csvt", ".tab", ".dat", ".map", ".id", ".mif", ".mid",
)  # fmt: skip
_ALONE = (".safetensors",)  # models: nothing belongs beside them
_LONGEST_NAME = 255  # usually: bytes, on Windows units of UTF-16
_VIRTUAL = re.compile(r"^/vsi\w+/(\{)?")


@dataclass(frozen=True)
class Written:
    """A result: its path, and paths of all else that is written, replaced or removed with it."""

    path: str
    beside: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """All of them, the result first."""
        return self.path, *self.beside


@dataclass(frozen=True)
class Conflict:
    """What is written for a result (the result itself or a file beside it), and the file that would suffer."""

    result: str
    written: str
    file: str


class ReadFiles:
    """Files that a run reads; what GDAL reads inside an archive stands for the archive."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._names: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        self._identities: dict[tuple[int, int], str] = {}
        for given in dict.fromkeys(paths):
            path = _on_disk(given)
            try:
                keys = _keys(path)
            except ValueError:  # no path, but what only GDAL can open
                continue
            for key in keys:
                self._names.setdefault(key, path)
                stem, suffix = os.path.splitext(key)
                if suffix not in _ALONE:
                    self._stems.setdefault(stem, path)
            identity = _identity(path)
            if identity is not None:
                self._identities.setdefault(identity, path)

    def conflict(self, result: Written) -> Optional[Conflict]:
        """The first file that would suffer from a result, None where none would."""
        for written in result.files:
            file = self._suffering(written)
            if file is not None:
                return Conflict(result.path, written, file)
        return None

    def _suffering(self, path: str) -> Optional[str]:
        identity = _identity(path)
        if identity in self._identities:
            return self._identities[identity]
        for key in _keys(path):
            if key in self._names:
                return self._names[key]
            for end in _AFTER_NAME:
                if key.endswith(end) and key[: -len(end)] in self._names:
                    return self._names[key[: -len(end)]]
            stem, suffix = os.path.splitext(key)
            if suffix in _AFTER_STEM and stem in self._stems:
                return self._stems[stem]
            if os.path.isdir(path):
                inside = (name for known, name in self._names.items() if known.startswith(key + os.sep))
                if (name := next(inside, None)) is not None:
                    return name
        return None


def clash(results: Iterable[Written]) -> Optional[Conflict]:
    """The first result of which a file is one of another result's, None where each has its own."""
    taken: dict[str, str] = {}
    for result in results:
        own = [(file, key) for file in result.files for key in _keys(file)]
        for file, key in own:
            if key in taken:
                return Conflict(result.path, file, taken[key])
        taken.update((key, result.path) for _, key in own)
    return None


def _keys(path: str) -> tuple[str, ...]:
    """Of the place, which may hold a link, and of the file that the link leads to."""
    folder, name = os.path.split(os.path.abspath(path))
    places = os.path.join(os.path.realpath(folder), name), os.path.realpath(path)
    return tuple(dict.fromkeys(map(spelling, places)))


def spelling(path: str) -> str:
    """One form of names that many disks take for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _identity(path: str) -> Optional[tuple[int, int]]:
    """Device and number of a file, the same for all its names; None for what is no file."""
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        return None
    return (state.st_dev, state.st_ino) if state.st_ino else None


def _on_disk(path: str) -> str:
    """Of a path in GDAL's virtual file systems the archive that it leads into; others as they are."""
    plain = path
    while prefix := _VIRTUAL.match(plain):
        plain = plain[prefix.end() :]
    if plain == path:
        return path
    plain = plain.replace("}", "")
    while plain and not os.path.isfile(plain):
        shorter = os.path.dirname(plain)
        if shorter == plain:
            return path
        plain = shorter
    return plain or path


def letters_that_fit(result: Written) -> Optional[int]:
    """How many letters the name of a result may have, its suffix included; None where it is short enough.

    Names of what is written beside it, which hold its own, count as well.
    """
    path = Path(result.path)
    longest = max(_length(Path(file).name) for file in result.files)
    excess = longest - _longest_name(path.parent)
    if excess <= 0:
        return None
    letters = path.stem
    while letters and excess > 0:
        excess -= _length(letters[-1])
        letters = letters[:-1]
    return len(letters) + len(path.suffix)


def _length(name: str) -> int:
    return len(name.encode("utf-16-le", "surrogatepass")) // 2 if sys.platform == "win32" else len(os.fsencode(name))


def _longest_name(folder: Path) -> int:
    """The most that a name may have in a folder, or in that above it that is there."""
    if hasattr(os, "pathconf"):
        for existing in (folder, *folder.parents):
            try:
                return os.pathconf(existing, "PC_NAME_MAX")
            except (OSError, ValueError):
                continue
    return _LONGEST_NAME
