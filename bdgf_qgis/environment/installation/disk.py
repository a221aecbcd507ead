"""How much room the environment needs, and whether it is there."""

from __future__ import annotations

import shutil
from pathlib import Path

from .errors import InstallationError
from .system import System

GIB = 1024**3
CPU_BYTES = 3 * GIB  # 1 GiB of packages, a Python, and the downloads while they are unpacked
CUDA_BYTES = 12 * GIB  # the CUDA libraries unpack to some 6 GiB


def room_needed(system: System, backend: str) -> int:
    """Bytes for an installation: the build for NVIDIA cards takes four times the room."""
    with_cuda = backend.startswith("cu") or (backend in ("auto", "none") and system.nvidia)
    return CUDA_BYTES if with_cuda and system.platform != "darwin" else CPU_BYTES


def check_room(folder: Path, needed: int) -> None:
    """Raise InstallationError where the disk of `folder` has not `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InstallationError(
            f"The environment needs {needed / GIB:.0f} GiB and the disk of {folder} has {free / GIB:.1f} GiB free: "
            "make room, or use a Python on another disk (Settings > Options > BDGF, Another Python)."
        )


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder; those that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_size
        except OSError:
            continue
    return total
