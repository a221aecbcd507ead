"""What stands at a path: links, never followed into what is cleared or replaced; folders, made and deleted."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Union

_JUNCTIONS = {0xA000000C, 0xA0000003}  # Windows: symbolic link, mount point


def is_link(path: Union[str, Path]) -> bool:
    """Whether a symbolic link, or a junction of Windows, stands there; what it leads to does not matter."""
    try:
        state = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISLNK(state.st_mode) or getattr(state, "st_reparse_tag", 0) in _JUNCTIONS


def require_file(path: Union[str, Path]) -> None:
    """Raise OSError where a pipe, a device or a folder stands there: opening a pipe would wait for ever."""
    if os.path.isdir(path):
        raise OSError(errno.EISDIR, "a folder of that name stands there", str(path))
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(errno.EINVAL, "that is no file but a device or a pipe", str(path))


def remove_link(path: Union[str, Path]) -> None:
    """Remove a link to a file, and a file's second name (hard link), so that a file written there is a new one.

    Raises OSError where it cannot be removed.
    """
    if is_link(path) or (os.path.isfile(path) and os.stat(path).st_nlink > 1):
        os.unlink(path)


def make_folders(folder: Path) -> list[Path]:
    """Make a folder with those above it; returns those that were missing, the uppermost first.

    Raises OSError; what was made is gone again then.
    """
    made: list[Path] = []
    try:
        for level in reversed([folder, *folder.parents]):
            if not level.exists():
                level.mkdir()
                made.append(level)
    except OSError:
        remove_empty(made)
        raise
    return made


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders that make_folders() made, where they hold nothing."""
    for folder in reversed(list(folders)):
        with contextlib.suppress(OSError):
            folder.rmdir()


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
