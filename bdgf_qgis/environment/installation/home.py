"""The plugin's folder in the QGIS profile: space for it, its lock, what a crash left in it, its removal.

environment.json  env/  uv/  python/  cache/  certificates.pem  installation.log  lock
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

from ...files.disk_space import free_space
from ...files.locks import try_lock
from ...files.paths import delete_folder, is_link
from ..managed import STATE, environments, read_state
from .errors import InstallationError
from .install_log import NAME as LOG_NAME
from .system import System

GIB = 1024**3
CPU_BYTES = 3 * GIB  # 1 GiB of packages, a Python, and the downloads while they are unpacked
CUDA_BYTES = 12 * GIB  # the CUDA libraries unpack to some 6 GiB
_LOCK = "lock"
_MADE = (STATE, f"{STATE}.new", "env", "uv", "python", "cache", "certificates.pem", LOG_NAME, "installation.old.log")


def space_needed(system: System, backend: str) -> int:
    """Bytes for an installation: the build for NVIDIA cards takes four times the space."""
    return CUDA_BYTES if system.gets_cuda(backend) and system.platform != "darwin" else CPU_BYTES


def check_space(folder: Path, needed: int) -> None:
    """Raise InstallationError where the disk of `folder` has not `needed` bytes free."""
    free = free_space(folder)
    if free < needed:
        raise InstallationError(
            f"The environment needs {needed / GIB:.0f} GiB and the disk of {folder} has {free / GIB:.1f} GiB free: "
            "make room, or use a Python on another disk (Settings > Options > BDGF, Another Python)."
        )


@contextlib.contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the folder, made where it is missing. Raises InstallationError where another QGIS holds it."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = open(home / _LOCK, "ab")
        free = try_lock(file)
    except OSError as error:
        text = f"The folder {home} in the QGIS profile cannot be written or locked: {error.strerror}."
        raise InstallationError(text) from error
    with file:
        if not free:
            raise InstallationError(
                "Another QGIS is setting up or removing the BDGF environment of this profile right "
                "now: wait until it is done, then run it again."
            )
        yield


def sweep(home: Path) -> list[str]:
    """Delete environments that are not in use: of a run that broke off, or replaced since. Returns their names."""
    current = read_state(home)
    swept: list[str] = []
    if is_link(environments(home)):
        return swept  # what it leads to is not ours
    with contextlib.suppress(OSError):
        for folder in environments(home).iterdir():
            if current is None or folder.name != current.name:
                delete_folder(folder)
                swept.append(folder.name)
    return swept


def new_name(home: Path) -> str:
    """A short name for a new environment. (Windows counts every letter of a path.)

    By chance: a uv whose QGIS was killed may still write to the folder that it was given.
    """
    while (environments(home) / (name := f"e{secrets.token_hex(2)}")).exists():
        pass
    return name


def remove_all(home: Path, cache: Optional[Path] = None) -> Optional[str]:
    """Delete everything that was made, with a cache that lies elsewhere; returns a sentence on what is left.

    Raises InstallationError where another QGIS holds the folder.
    """
    if cache is not None:
        delete_folder(cache)
    if not home.exists():
        return None
    with locked(home):
        for name in _MADE:
            path = home / name
            if path.is_dir() or is_link(path):
                delete_folder(path)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
        left = [name for name in _MADE if os.path.lexists(home / name)]
    with contextlib.suppress(OSError):
        (home / _LOCK).unlink()
        home.rmdir()  # stays where it holds something that is not ours
    if not left:
        return None
    return f"{', '.join(left)} in {home} could not be deleted: a program still uses them. Restart QGIS and try again."
