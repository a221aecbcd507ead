"""Finished blocks of a run that was cut wait beside its output, so that the same call can go on from them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Optional

from ...model.rebuild import rebuild, rebuildable
from .errors import EngineError, RunCancelled
from .file_lock import try_lock

FOLDER_END = ".bdgf-part"
_LOCK, _MANIFEST = "lock", "manifest.json"
_OLD = 14 * 24 * 3600.0  # seconds after which nobody is expected to go on
_CHUNK = 1 << 20


@rebuildable
@dataclass(frozen=True)
class KeptFile:
    """A file of a block: its name in the folder, bytes, CRC-32."""

    name: str
    size: int
    checksum: int


@rebuildable
@dataclass(frozen=True)
class KeptBlock:
    """A finished block: its number in the plan, classified pixels, files, and figures that its maker wants again."""

    number: int
    pixels: int
    files: tuple[KeptFile, ...]
    figures: tuple[tuple[float, ...], ...] = ()


class PartFolder:
    """The folder `<output>.bdgf-part`, locked by the run that uses it.

    Args:
        output: path of the result beside which it lies; folders that are missing are made.
        call: a hash of everything that the blocks hang on. Blocks of another call are removed.
        cancelled: looked at while kept blocks are compared with their checksums.

    path is the folder, blocks are those that are finished, by number; one whose files are damaged is none of them.
    Raises EngineError where another run has the folder, RunCancelled, and OSError where it cannot be written to.
    """

    def __init__(self, output: Path, call: str, cancelled: Callable[[], bool] = lambda: False) -> None:
        self.path = output.with_name(output.name + FOLDER_END)
        self.blocks: dict[int, KeptBlock] = {}
        self._unread = False  # whether there may be blocks that are not looked at yet
        self._made: list[Path] = [each for each in self.path.parents if not each.exists()]
        sweep_old(self.path.parent)
        self._lock: Optional[BinaryIO] = self._locked()
        try:
            self._unread = self._read_manifest() == call
            if self._unread:
                self._read_blocks(cancelled)
                self._unread = False
                self._clear()
            else:
                (self.path / _MANIFEST).unlink(missing_ok=True)  # first: never a manifest with another call's blocks
                self._clear()
                _write(self.path / _MANIFEST, {"about": "Finished blocks of a BDGF run.", "call": call})
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> PartFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes of the finished blocks."""
        return sum(file.size for block in self.blocks.values() for file in block.files)

    def keep(self, number: int, pixels: int, files: Sequence[Path], figures: Sequence[Sequence[float]] = ()) -> None:
        """A block is finished, and its files, in this folder, are closed. It counts once its record is on the disk."""
        kept = tuple(KeptFile(each.name, each.stat().st_size, _checksum(each, sync=True)) for each in files)
        block = KeptBlock(number, pixels, kept, tuple(tuple(each) for each in figures))
        _write(self.path / _record(number), asdict(block))
        self.blocks[number] = block

    def remove(self) -> None:
        """Remove the folder with all blocks: they are of no more use."""
        self.blocks = {}
        self.close()

    def close(self) -> None:
        """Leave the folder to the next run; without a finished block it goes, with parents that were made for it."""
        if self._lock is None:
            return
        useless = not self.blocks and not self._unread
        if useless:
            _remove(self.path, self._lock)
        self._lock.close()
        self._lock = None
        if useless:
            for each in self._made:
                with contextlib.suppress(OSError):
                    each.rmdir()

    def _locked(self) -> BinaryIO:
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # another run has just removed the folder
                lock = open(self.path / _LOCK, "ab")
                try:
                    free = try_lock(lock)
                except OSError:
                    free = True  # a disk without locks
                if not free:
                    lock.close()
                    raise EngineError(
                        f"Another run is writing to {self.path.with_suffix('')}: wait until it is over, or choose "
                        "another file name."
                    )
                if os.path.samestat(os.fstat(lock.fileno()), os.stat(self.path / _LOCK)):
                    return lock
                lock.close()

    def _read_manifest(self) -> str:
        try:
            return str(json.loads((self.path / _MANIFEST).read_text(encoding="utf-8"))["call"])
        except (OSError, ValueError, LookupError, TypeError):
            return ""

    def _read_blocks(self, cancelled: Callable[[], bool]) -> None:
        for path in self.path.glob(_record("*")):
            if cancelled():
                raise RunCancelled
            with contextlib.suppress(OSError, ValueError, TypeError):
                block: KeptBlock = rebuild(KeptBlock, json.loads(path.read_text(encoding="utf-8")))
                if all(self._whole(each) for each in block.files):
                    self.blocks[block.number] = block

    def _whole(self, file: KeptFile) -> bool:
        path = self.path / Path(file.name).name
        return path.stat().st_size == file.size and _checksum(path) == file.checksum

    def _clear(self) -> None:
        """Remove what is no finished block: other calls' and damaged ones, and drafts of a run that was killed."""
        known = {_LOCK, _MANIFEST, *(_record(number) for number in self.blocks)}
        known |= {file.name for block in self.blocks.values() for file in block.files}
        for each in self.path.iterdir():
            if each.name not in known and each.is_file():
                each.unlink()


def sweep_old(folder: Path, seconds: float = _OLD) -> None:
    """Delete part folders in `folder` to which nothing was added for 14 days and that no run holds."""
    for each in folder.glob("*" + FOLDER_END):
        with contextlib.suppress(OSError):
            file = each / _LOCK
            if each.is_symlink() or not file.is_file() or time.time() - each.stat().st_mtime < seconds:
                continue
            with open(file, "ab") as lock:
                if try_lock(lock):
                    _remove(each, lock)


def _remove(folder: Path, lock: BinaryIO) -> None:
    """Delete a part folder while its lock keeps other runs from entering it."""
    shutil.rmtree(folder, ignore_errors=True)
    if sys.platform == "win32":  # which deletes no open file
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def _record(number: object) -> str:
    return f"block-{number}.json"


def _checksum(path: Path, sync: bool = False) -> int:
    """CRC-32 of a file; with `sync` after its content has reached the disk."""
    value = 0
    with open(path, "r+b" if sync else "rb") as file:
        if sync:
            os.fsync(file.fileno())
        while chunk := file.read(_CHUNK):
            value = zlib.crc32(chunk, value)
    return value


def _write(path: Path, content: object) -> None:
    """A whole JSON file, on the disk, or none."""
    draft = path.with_name(path.name + ".new")
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    with contextlib.suppress(OSError):  # Windows opens no folder
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
