"""What can go wrong with files that are written; every text is meant for the map maker."""

from __future__ import annotations

import os
from pathlib import Path


class FileError(Exception):
    """A file or folder cannot be written, or another run holds it; the text says which, why and what to do."""


def not_written(path: Path, error: OSError) -> FileError:
    """Why a file cannot be written, and what to do."""
    reason = error.strerror or (os.strerror(error.errno) if error.errno else str(error)) or "the disk may be full"
    return FileError(
        f"{path} cannot be written ({reason}): choose a folder that you may write to, free some space, or close the "
        "program that has the file open."
    )


def held_by_another_run(path: Path, other: str = "file name") -> FileError:
    """Another run writes a file, or to its kept blocks; `other` is what may be chosen instead."""
    return FileError(f"Another run is writing to {path}: wait until it is over, or choose another {other}.")
