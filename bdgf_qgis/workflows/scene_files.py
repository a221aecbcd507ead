"""Which files make up a scene: one for each raster of a model, found by patterns of their names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ...model.shared.text import is_plain
from ..files.kept_blocks import KEPT_BLOCKS_END
from ..translation import tr
from .file_pattern import captures

_STRIPPED = " _-."  # what parts a scene's name from the rest of a file's
_NAMELESS = "scene"
_BESIDE = (".aux.xml", ".ovr", ".msk")  # what QGIS and GDAL write beside a raster


@dataclass(frozen=True)
class Pattern:
    """A pattern of file names: '*' stands for the name of the scene, '?' for any one character, '/' enters sub-folders.

    One without '*' names the same file in every sub-folder.
    """

    text: str

    @property
    def path(self) -> str:
        """With '*' in any case."""
        return self.text if "*" in self.text else f"*/{self.text}"

    @property
    def depth(self) -> int:
        """The number of sub-folders that it enters."""
        return self.path.count("/")

    def key(self, file: Path) -> Optional[tuple[str, ...]]:
        """What the '*' stand for in the path of a file; None where it does not match. Case does not matter."""
        return captures(_composed(self.path), _composed("/".join(self._parts(file))))

    def shows(self, file: Path) -> bool:
        """Whether the names that it looks at in a path can be shown and written down."""
        return all(map(is_plain, self._parts(file)))

    def _parts(self, file: Path) -> tuple[str, ...]:
        return file.parts[-1 - self.depth :]


@dataclass(frozen=True)
class SceneFiles:
    """A scene: its name, a file for each pattern, and what is wrong with it, '' where nothing is."""

    name: str
    files: tuple[Path, ...]
    problem: str = ""


@dataclass(frozen=True)
class FoundScenes:
    """Scenes by name, complete or not, and the files that each pattern found.

    unreadable  files that fit a pattern but whose names cannot be shown: left out
    """

    scenes: tuple[SceneFiles, ...]
    by_pattern: tuple[tuple[Path, ...], ...]
    unreadable: tuple[Path, ...] = ()


def parse_patterns(text: str, modalities: Sequence[str]) -> tuple[Pattern, ...]:
    """The patterns of a text, parted by semicolons; of an empty one the names of the model's rasters.

    Raises ValueError with a sentence where there are not as many as the model has rasters.
    """
    given = [part.strip().replace("\\", "/").strip("/") for part in text.split(";")]
    given = [pattern for pattern in given if pattern]
    if not given:
        given = ["*.tif"] if len(modalities) == 1 else [f"*{name}.tif" for name in modalities]
    names = ", ".join(f"'{name}'" for name in modalities)
    if len(given) != len(modalities):
        message = tr("The model needs {wanted} patterns parted by semicolons, for {names} in this order; given: {text}")
        said = "; ".join(given)
        raise ValueError(message.format(wanted=len(modalities), names=names, text=said))
    if len(set(given)) < len(given):
        raise ValueError(
            tr("Two patterns are the same: each raster of the model ({names}) needs its own.").format(names=names)
        )
    return tuple(map(Pattern, given))


def files_in(folder: Path, patterns: Iterable[Pattern], results: Path) -> list[Path]:
    """The files of a folder at the depths of the patterns, sorted, without hidden ones and what lies beside rasters.

    What lies in the folder `results` inside it is left out too: maps and blocks of an earlier run are no scenes.
    """
    files = {file for depth in {pattern.depth for pattern in patterns} for file in folder.glob("*/" * depth + "*")}
    real, root = results.resolve(), folder.resolve()
    maps = folder / real.relative_to(root) if root in real.parents else None
    return sorted(
        file
        for file in files
        if maps not in file.parents
        and not any(part.startswith(".") or part.endswith(KEPT_BLOCKS_END) for part in file.relative_to(folder).parts)
        and not file.name.lower().endswith(_BESIDE)
        and file.is_file()
    )


def find_scenes(files: Iterable[Path], patterns: Sequence[Pattern]) -> FoundScenes:
    """Sorts files into scenes: those for which the patterns' '*' stand for the same.

    A file that several patterns match belongs to the one with most letters of its own: `*_dsm.tif` before `*.tif`.
    """
    by_pattern: list[list[Path]] = [[] for _ in patterns]
    scenes: dict[tuple[str, ...], dict[int, list[Path]]] = {}
    unreadable: list[Path] = []
    for file in files:
        keys = [(number, key) for number, pattern in enumerate(patterns) if (key := pattern.key(file)) is not None]
        if keys and not all(patterns[number].shows(file) for number, _ in keys):
            unreadable.append(file)
        elif keys:
            number, key = min(keys, key=lambda numbered: len("".join(numbered[1])))
            by_pattern[number].append(file)
            scenes.setdefault(key, {}).setdefault(number, []).append(file)
    sorted_scenes = (_scene(key, scenes[key], patterns) for key in sorted(scenes))
    return FoundScenes(tuple(sorted_scenes), tuple(map(tuple, by_pattern)), tuple(unreadable))


def _scene(key: tuple[str, ...], by_pattern: dict[int, list[Path]], patterns: Sequence[Pattern]) -> SceneFiles:
    parts = [part.strip(_STRIPPED) for part in key]
    name = "_".join(part for part in parts if part) or _NAMELESS
    several = [file for files in by_pattern.values() if len(files) > 1 for file in files]
    missing = [pattern.text for number, pattern in enumerate(patterns) if number not in by_pattern]
    problem = ""
    if several:
        problem = tr("Several files fit: {names}.").format(names=", ".join(file.name for file in several))
    elif missing:
        problem = tr("There is no file for {patterns}.").format(patterns=", ".join(missing))
    return SceneFiles(name, tuple(by_pattern[number][0] for number in sorted(by_pattern)), problem)


def _composed(text: str) -> str:
    """One form of letters with accents, of which file systems know two."""
    return unicodedata.normalize("NFC", text)
