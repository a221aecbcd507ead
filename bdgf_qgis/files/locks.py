"""Locks on files that end with their process, however it ended.

Everything hidden beside a result is named `.bdgf-<token>...`. The run that writes a result holds a lock whose token is
made of the result's name; temporary files have tokens of their own, with a lock each.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from pathlib import Path
from typing import BinaryIO, Optional

from .conflicts import spelling
from .paths import is_link, require_file

MARK = ".bdgf-"  # begins the names of hidden files beside a result


def lock_file(folder: Path, token: str) -> Path:
    """The lock of a token's files."""
    return folder / f"{MARK}{token}.lock"


def result_lock(path: Path) -> Path:
    """The lock of the run that is going to write a result; spellings of its name that differ in case share it."""
    name = os.fsencode(spelling(path.name))
    return lock_file(path.parent, hashlib.blake2b(name, digest_size=8).hexdigest())


def is_held(path: Path) -> bool:
    """Whether another run holds the lock of a result, as one that trains for an hour does."""
    file = result_lock(path)
    if not file.exists():
        return False
    try:
        lock = take_lock(file)
    except OSError:
        return False
    if lock is None:
        return True
    remove_lock(lock, file)
    return False


def try_lock(file: BinaryIO) -> bool:
    """Take the lock without waiting; False where another has it. Closing the file gives it back.

    Raises OSError on a disk that knows no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def take_lock(path: Path, patience: float = 0.0, lockless: bool = True) -> Optional[BinaryIO]:
    """The lock file at `path`, made where it is missing, and held; None where another holds it for `patience` seconds.

    A link there is removed, never followed. A disk without locks gives it to everyone, or to nobody where `lockless` is
    False. Raises OSError where the file cannot be made, or what stands there is none.
    """
    end = time.monotonic() + patience
    while True:
        if is_link(path):
            path.unlink()
        require_file(path)
        file = open(path, "ab")
        try:
            free = try_lock(file)
        except OSError:
            free = lockless
        with contextlib.suppress(OSError):  # it was removed just now by the one that held it
            if free and os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        file.close()
        if not free and time.monotonic() >= end:
            return None
        time.sleep(0.01)


def remove_lock(file: BinaryIO, path: Path) -> None:
    """Give a lock of take_lock() back, and remove its file."""
    if sys.platform == "win32":  # which deletes no open file
        file.close()
    with contextlib.suppress(OSError):
        path.unlink()
    file.close()
