"""Folders made for a result go again where it does not come into being."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path


def make_folders(folder: Path) -> list[Path]:
    """Make a folder with those above it; returns those that were missing, the uppermost first.

    Raises OSError; what was made is gone again then.
    """
    made: list[Path] = []
    try:
        for each in reversed([folder, *folder.parents]):
            if not each.exists():
                each.mkdir()
                made.append(each)
    except OSError:
        remove_empty(made)
        raise
    return made


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders that make_folders() made, where they hold nothing."""
    for each in reversed(list(folders)):
        with contextlib.suppress(OSError):
            each.rmdir()
