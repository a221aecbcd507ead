"""Where uv comes from: a setting, the PATH, or what was fetched before. (Fetching it is a step of its own.)"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ...engine.child_process import output_of
from .errors import InstallationError
from .pins import uv_version
from .system import System

OLDEST = (0, 8)  # knows --torch-backend, and how to install a Python without touching the user's PATH or registry


@dataclass(frozen=True)
class Uv:
    """A uv that can be used, and a few words on where it was found."""

    path: str
    where: str


def find_uv(
    setting: str,
    home: Path,
    system: System,
    environment: Mapping[str, str],
    version_of: Optional[Callable[[str, Mapping[str, str]], Optional[tuple[int, ...]]]] = None,
) -> Optional[Uv]:
    """uv from the setting, from the PATH, or fetched before; None where it must be fetched.

    Raises InstallationError where the setting names something else than a uv that is new enough.
    """
    ask = version_of or ask_version
    if setting:
        if not _new_enough(ask(setting, environment)):
            least = ".".join(map(str, OLDEST))
            raise InstallationError(
                f"The setting bdgf/uv names {setting}, which is no uv of version {least} or later: correct the setting "
                "or clear it."
            )
        return Uv(setting, "setting bdgf/uv")
    path = shutil.which("uv", path=environment.get("PATH"))
    if path and _new_enough(ask(path, environment)):
        return Uv(path, "PATH")
    own = fetched_uv(home, system.platform)
    if (uv_folder(home) / f"uv-{uv_version()}.dist-info").is_dir() and _new_enough(ask(str(own), environment)):
        return Uv(str(own), "fetched before")
    return None


def uv_folder(home: Path) -> Path:
    """Where uv is put when it is fetched."""
    return home / "uv"


def fetched_uv(home: Path, platform: str = sys.platform) -> Path:
    """The program in that folder."""
    return uv_folder(home) / "bin" / ("uv.exe" if platform == "win32" else "uv")


def ask_version(path: str, environment: Mapping[str, str]) -> Optional[tuple[int, ...]]:
    """The version that a uv states; None where it is not there or no uv."""
    if not os.path.isfile(path):
        return None
    found = re.match(r"uv (\d+)\.(\d+)", output_of([path, "--version"], environment, 20.0) or "")
    return tuple(int(each) for each in found.groups()) if found else None


def _new_enough(version: Optional[tuple[int, ...]]) -> bool:
    return version is not None and version >= OLDEST
