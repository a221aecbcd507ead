"""Whether a Python that the user names is new enough for the worker, and what is missing in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..interpreter import OLDEST, ask_python
from ..python import PLUGIN_ROOT
from ..variables import child_variables

REQUIREMENTS = PLUGIN_ROOT / "requirements.txt"
_TIMEOUT = 30.0  # seconds; a network drive may be slow
_LINE = re.compile(r"^([A-Za-z0-9_.-]+)\s*(.*)$")
_TERM = re.compile(r"(>=|<=|==|!=|<|>)\s*([\d.]+)")


@dataclass(frozen=True)
class Suitability:
    """A Python's version and packages, and what is missing in it or does not fit, a sentence each."""

    path: str
    version: str
    packages: tuple[tuple[str, str], ...]
    lacking: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the worker can run on it."""
        return not self.lacking


def suitability_of(path: str, requirements: Path = REQUIREMENTS, timeout: float = _TIMEOUT) -> Suitability:
    """Hold the Python at `path` against a file of requirements."""
    wanted = _requirements(requirements)
    if not Path(path).is_file():
        return Suitability(path, "", (), (f"There is no file {path}.",))
    found = ask_python(path, child_variables(), tuple(name for name, _ in wanted), timeout)
    if found is None:
        return Suitability(path, "", (), (f"{path} did not answer as a Python does.",))
    lacking, there = [], dict(found.packages)
    if found.version < OLDEST:
        lacking.append(f"Python {_text(found.version)} is too old: BDGF needs {_text(OLDEST)} or later.")
    for name, condition in wanted:
        if name not in there:
            lacking.append(f"{name} is missing (BDGF needs {condition or 'any version'}).")
        elif not satisfies(there[name], condition):
            lacking.append(f"{name} {there[name]} does not fit: BDGF needs {condition}.")
    return Suitability(path, _text(found.version), found.packages, tuple(lacking))


def satisfies(version: str, condition: str) -> bool:
    """Whether a version fits a condition such as '>=2.11,<2.14'; only what stands before a letter or '+' counts."""
    mine = _numbers(version)
    for sign, text in _TERM.findall(condition):
        other = _numbers(text)
        width = max(len(mine), len(other))
        left, right = mine + (0,) * (width - len(mine)), other + (0,) * (width - len(other))
        fits = {
            ">=": left >= right,
            "<=": left <= right,
            ">": left > right,
            "<": left < right,
            "==": left == right,
            "!=": left != right,
        }
        if not fits[sign]:
            return False
    return True


def _requirements(path: Path) -> list[tuple[str, str]]:
    """Names and conditions."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    found = (_LINE.match(line) for line in lines if line)
    return [(each.group(1), each.group(2).strip()) for each in found if each is not None]


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(each) for each in found.group().split(".")) if found else (0,)


def _text(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
