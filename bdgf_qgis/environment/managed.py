"""The environment that the plugin made for itself in the QGIS profile: which one is in use, and where.

<profile>/bdgf/environment.json    which environment works; written last, so that a crash leaves the old one in use
<profile>/bdgf/env/<name>/         the environments: the one in use, and one in the making
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

STATE = "environment.json"


@dataclass(frozen=True)
class Managed:
    """An environment that was made and has worked.

    name     its folder below env/
    pins     fingerprint of the package versions it was made from
    plugin   the plugin version that made it
    backend  the torch build that was asked for
    """

    name: str
    pins: str
    plugin: str
    backend: str = ""


def environments(home: Path) -> Path:
    """The folder of the environments."""
    return home / "env"


def python_inside(environment: Path, platform: str = sys.platform) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if platform == "win32" else "bin/python")


def read_state(home: Path) -> Optional[Managed]:
    """The environment in use; None where there is none, its record is broken, or its Python is gone."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        managed = Managed(**json.loads((home / STATE).read_text(encoding="utf-8")))
        if managed.name and python_inside(environments(home) / managed.name).is_file():
            return managed
    return None


def write_state(home: Path, managed: Managed) -> None:
    """Put an environment in use. Raises OSError; the record is whole or unchanged."""
    temporary = home / f"{STATE}.new"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(asdict(managed), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, home / STATE)


def managed_python(home: Path) -> Optional[Path]:
    """The interpreter of the environment in use."""
    managed = read_state(home)
    return None if managed is None else python_inside(environments(home) / managed.name)
