"""Looks at a Python that the user names: is it new enough, and what is missing in it?"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from ...engine.process import answer
from ..python import PLUGIN_ROOT
from ..variables import child_variables

REQUIREMENTS = PLUGIN_ROOT / "requirements.txt"
_OLDEST = (3, 10)
_TIMEOUT = 30.0  # seconds; a network drive may be slow
_ASK = """
import json, sys
from importlib import metadata
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except Exception:
        pass
print("BDGF" + json.dumps([list(sys.version_info[:3]), found]))
"""
_LINE = re.compile(r"^([A-Za-z0-9_.-]+)\s*(.*)$")
_TERM = re.compile(r"(>=|<=|==|!=|<|>)\s*([\d.]+)")


@dataclass(frozen=True)
class Interpreter:
    """What a Python said of itself: its version, and what is missing or does not fit, a sentence each."""

    path: str
    version: str
    packages: tuple[tuple[str, str], ...]
    lacking: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the worker can run on it."""
        return not self.lacking


def look_at(path: str, requirements: Path = REQUIREMENTS, timeout: float = _TIMEOUT) -> Interpreter:
    """Ask the Python at `path` for its packages; nothing is imported, so that this takes a fraction of a second."""
    wanted = _requirements(requirements)
    if not Path(path).is_file():
        return Interpreter(path, "", (), (f"There is no file {path}.",))
    names = [name for name, _ in wanted]
    said = answer([path, "-I", "-X", "utf8", "-c", _ASK, *names], child_variables(), timeout)
    facts = _facts(said or "")
    if facts is None:
        return Interpreter(path, "", (), (f"{path} did not answer as a Python does.",))
    version, found = facts
    lacking = []
    if version < _OLDEST:
        lacking.append(f"Python {_text(version)} is too old: BDGF needs 3.10 or later.")
    for name, condition in wanted:
        if name not in found:
            lacking.append(f"{name} is missing (BDGF needs {condition or 'any version'}).")
        elif not satisfies(found[name], condition):
            lacking.append(f"{name} {found[name]} does not fit: BDGF needs {condition}.")
    return Interpreter(path, _text(version), tuple(found.items()), tuple(lacking))


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


def _facts(said: str) -> Optional[tuple[tuple[int, ...], dict[str, str]]]:
    try:
        answered: Any = json.loads(said.rpartition("BDGF")[2])
        version, found = answered
        return tuple(int(each) for each in version), {str(name): str(value) for name, value in found.items()}
    except (ValueError, TypeError, AttributeError):
        return None


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(each) for each in found.group().split(".")) if found else (0,)


def _text(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
