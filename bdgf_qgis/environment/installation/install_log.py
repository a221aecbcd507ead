"""The log of installations: every command and what it printed, without secrets."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Optional, TextIO

from ..redaction import redact

NAME = "installation.log"
_LARGEST = 1024 * 1024  # bytes; an older log is kept once beside it


class InstallLog:
    """Appends to <home>/installation.log. A log that cannot be written stops nothing."""

    def __init__(self, home: Path, secrets: Sequence[str] = ()) -> None:
        self.path = home / NAME
        self._secrets = tuple(secrets)
        self._file: Optional[TextIO] = None
        with contextlib.suppress(OSError):
            if self.path.exists() and self.path.stat().st_size > _LARGEST:
                self.path.replace(self.path.with_suffix(".old.log"))
            self._file = open(self.path, "a", encoding="utf-8", errors="replace")

    def clean(self, text: str) -> str:
        """The text without secrets."""
        return redact(text, self._secrets)

    def write(self, line: str) -> None:
        """Add a line with the time."""
        if self._file is not None:
            with contextlib.suppress(OSError, ValueError):
                self._file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {self.clean(line)}\n")
                self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
