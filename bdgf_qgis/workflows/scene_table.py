"""What came of each scene of a folder, as a table in a CSV file that grows with every scene."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Optional

from ...model.shared.infos import ClassInfo
from ...model.shared.text import plain_text
from ..files.errors import held_by_another_run, not_written
from ..files.locks import try_lock
from ..files.paths import remove_link

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # also the wide forms of East Asian keyboards
_FAR = 1 << 30  # a place in the file that nobody reads: Windows locks bytes, against readers too

MAPPED, FAILED, CANCELLED, NOT_BEGUN = "mapped", "failed", "cancelled", "not begun"


@dataclass(frozen=True)
class SceneResult:
    """A row.

    status   MAPPED, FAILED, CANCELLED or NOT_BEGUN
    map      file name of the map, '' without one
    counts   pixels per class, in the order of the model; empty without a map
    message  why there is no map
    """

    scene: str
    status: str
    map: str = ""
    counts: tuple[int, ...] = ()
    seconds: float = 0.0
    message: str = ""


class SceneTable:
    """The table, open for writing: whoever cancels or crashes keeps the rows so far.

    Columns: scene, map, status, pixels, seconds, message, and the share of each class in the map, 0 to 1.

    A link in its place is replaced, never written through.

    Raises FileError where another run writes it or it cannot be opened, OSError on a full disk.
    """

    def __init__(self, path: Path, classes: Sequence[ClassInfo]) -> None:
        self.rows: list[SceneResult] = []
        try:
            remove_link(path)
            self._lock = _locked(path)
            self._file = open(path, "w", newline="", encoding="utf-8-sig")  # the mark tells spreadsheets the encoding
        except OSError as error:
            raise not_written(path, error) from error
        self._writer = csv.writer(self._file)
        shares = [f"share of {info.code} {info.name}" for info in classes]
        self._write(["scene", "map", "status", "pixels", "seconds", "message", *shares])

    def add(self, row: SceneResult) -> None:
        """Write a row."""
        self.rows.append(row)
        pixels = sum(row.counts)
        shares = [f"{count / max(pixels, 1):.4f}" for count in row.counts]
        seconds = f"{row.seconds:.1f}"
        self._write([row.scene, row.map, row.status, str(pixels), seconds, row.message, *shares])

    def count(self, status: str) -> int:
        """The number of rows of a status."""
        return sum(row.status == status for row in self.rows)

    def __enter__(self) -> SceneTable:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._file.close()
        self._lock.close()

    def _write(self, cells: Sequence[str]) -> None:
        self._writer.writerow(map(_as_text, cells))
        self._file.flush()


def _as_text(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: those run one from a file that is merely opened."""
    plain = plain_text(cell)
    return f"'{plain}" if plain.lstrip().startswith(_FORMULA) else plain


def _locked(path: Path) -> BinaryIO:
    """The file, held by this run until it is closed."""
    file = open(path, "ab")
    file.seek(_FAR)
    with suppress(OSError):  # a disk without locks
        if not try_lock(file):
            file.close()
            raise held_by_another_run(path, "folder")
    return file
