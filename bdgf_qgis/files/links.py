"""Links, which are never followed into what is cleared or replaced, and what is no file, which is never opened."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Union

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
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(errno.EINVAL, "that is no file but a folder, a device or a pipe", str(path))


def remove_link(path: Union[str, Path]) -> None:
    """Remove a link to a file, and a file's second name (hard link), so that a file written there is a new one.

    Raises OSError where it cannot be removed.
    """
    if is_link(path) or (os.path.isfile(path) and os.stat(path).st_nlink > 1):
        os.unlink(path)
