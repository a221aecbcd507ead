"""Folders: made for a result, and gone again where it does not come into being; measured, emptied, deleted."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .links import is_link


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


def delete_folder(folder: Path) -> None:
    """Delete a folder with read-only files in it; what is in use stays. Of a link goes the link alone."""

    def writable_first(function: Callable[..., Any], path: str, _: object) -> None:
        with contextlib.suppress(OSError):
            if not is_link(path):
                os.chmod(path, stat.S_IWRITE | stat.S_IREAD)
            function(path)

    if is_link(folder):
        with contextlib.suppress(OSError):
            folder.unlink()
        return
    shutil.rmtree(folder, onerror=writable_first)


def empty_folder(folder: Path) -> None:
    """Delete what is in a folder, not the folder itself; what is in use stays."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() or is_link(path):
                delete_folder(path)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
