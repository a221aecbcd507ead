"""Asks a Python what it is and what it has; nothing is imported there, so that this takes a fraction of a second."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ..engine.child_process import output_of

OLDEST = (3, 10)  # on which the worker runs
NEWEST = (3, 14)  # for which the pinned packages have builds
_TIMEOUT = 20.0  # seconds
_QUESTION = """
import importlib.util as u, json, platform, sys
has = lambda name: u.find_spec(name) is not None
try:
    import ssl
    secure = True
except ImportError:
    secure = False
packages = {}
for name in sys.argv[1:]:
    try:
        from importlib import metadata
        packages[name] = metadata.version(name)
    except Exception:
        pass
print("BDGF" + json.dumps(dict(version=sys.version_info[:3], machine=platform.machine(), secure=secure,
    pip=has("pip"), venv=has("venv") and has("ensurepip"), wide=sys.maxsize > 2 ** 32, packages=packages)))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that answered.

    version   major, minor and, where it is known, micro
    machine   'x86_64', 'AMD64', 'arm64', ...
    pip       whether it has pip
    venv      whether it can make environments
    secure    whether it can fetch over https
    wide      whether it is a program of 64 bits
    packages  names and versions of those that were asked for and are there
    """

    path: str
    version: tuple[int, ...]
    machine: str
    pip: bool
    venv: bool
    secure: bool
    wide: bool = True
    packages: tuple[tuple[str, str], ...] = ()

    @property
    def fetches_uv(self) -> bool:
        """Whether it can fetch uv."""
        return self.pip and self.secure and self.wide and self.version >= (3, 8)

    @property
    def runs_worker(self) -> bool:
        """Whether the worker can run on it, once it has the packages."""
        return self.wide and OLDEST <= self.version[:2] <= NEWEST

    @property
    def makes_environments(self) -> bool:
        """Whether the worker can run on it and an environment be made with it, without uv."""
        return self.venv and self.secure and self.runs_worker


def ask_python(
    path: str, variables: Mapping[str, str], packages: tuple[str, ...] = (), timeout: float = _TIMEOUT
) -> Optional[Interpreter]:
    """What the Python at `path` says of itself; None where it is not there, hangs, or is no Python.

    variables  environment variables that it is started with
    packages   names of packages whose versions are asked for
    """
    if not os.path.isfile(path):
        return None
    said = output_of([path, "-I", "-X", "utf8", "-c", _QUESTION, *packages], variables, timeout)
    try:
        facts: dict[str, Any] = json.loads((said or "").rpartition("BDGF")[2])
        found = tuple((str(name), str(version)) for name, version in facts.pop("packages").items())
        return Interpreter(path, **{**facts, "version": tuple(map(int, facts["version"])), "packages": found})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
