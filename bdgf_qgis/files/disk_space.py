"""Whether disks have space for what a run is going to write."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Need:
    """Bytes that a run writes to a folder, which may not be there yet."""

    folder: Path
    size: float


@dataclass(frozen=True)
class Shortage:
    """A disk with too little space: one of the folders on it, bytes needed there, and bytes free."""

    folder: Path
    size: float
    free: int


def free_space(folder: Path) -> int:
    """Bytes free on the disk on which a folder is, or is going to be."""
    return shutil.disk_usage(_existing(folder)).free


def shortages(needs: Iterable[Need]) -> list[Shortage]:
    """The disks that have not what all needs on them come to; one that does not say what it has counts as large."""
    disks: dict[int, list[Need]] = {}
    for need in needs:
        disks.setdefault(os.stat(_existing(need.folder)).st_dev, []).append(need)
    short = []
    for together in disks.values():
        folder, size = together[0].folder, sum(need.size for need in together)
        try:
            free = free_space(folder)
        except OSError:
            continue
        if free < size:
            short.append(Shortage(folder, size, free))
    return short


def _existing(folder: Path) -> Path:
    """The folder, or the nearest of its parents that is there."""
    folder = folder.absolute()
    return next((parent for parent in (folder, *folder.parents) if parent.exists()), folder)
