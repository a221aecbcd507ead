"""Finished blocks of a run that was cut wait beside its output, so that the same call can go on from them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Optional

from ...model.shared.rebuild import rebuild, rebuildable
from ...model.shared.strict_json import parse
from .errors import FileError, held_by_another_run
from .locks import remove_lock, take_lock, try_lock
from .paths import is_link, remove_link, require_file
from .renames import KEPT_BLOCKS_END

_LOCK, _MANIFEST = "lock", "manifest.json"
_ABOUT = "Finished blocks of a BDGF run."
_OURS = re.compile(r"block-\d+(-\w+)?\.(json|tif)(\.new|\.aux\.xml)?|manifest\.json\.new|\.bdgf-[0-9a-f]{8}-new.*")
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
    """A finished block: its number in the plan, pixels a class, files, and figures that its maker wants again."""

    number: int
    counts: tuple[int, ...]
    files: tuple[KeptFile, ...]
    figures: tuple[tuple[float, ...], ...] = ()


class KeptBlocks:
    """The folder `<output>.bdgf-part`, locked by the run that uses it.

    Args:
        output: path of the result beside which it lies; folders that are missing are made.
        call: a hash of everything that the blocks hang on. Blocks of another call are removed.
        check: called for each kept block, whose checksum is compared; raises where the user cancelled.

    path is the folder, blocks are those that are finished, by number; one whose files are damaged is none of them. Only
    files with names that this class gives are ever removed, and no link is followed.

    Raises FileError where another run has the folder or where it is no such folder, what `check` raises, and OSError
    where it cannot be written to.
    """

    def __init__(self, output: Path, call: str, check: Callable[[], None] = lambda: None) -> None:
        self.path = output.with_name(output.name + KEPT_BLOCKS_END)
        self.blocks: dict[int, KeptBlock] = {}
        self._unread = False  # whether there may be blocks that are not looked at yet
        self._made: list[Path] = [parent for parent in self.path.parents if not parent.exists()]
        sweep_old(self.path.parent)
        self._require_ours()
        self._lock: Optional[BinaryIO] = self._locked()
        try:
            self._unread = _call_of(self.path) == call
            if self._unread:
                self._read_blocks(check)
                self._unread = False
                self._clear()
            else:
                _write(self.path / _MANIFEST, {"about": _ABOUT, "call": ""})  # first: none with another call's blocks
                self._clear()
                _write(self.path / _MANIFEST, {"about": _ABOUT, "call": call})
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> KeptBlocks:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes of the finished blocks."""
        return sum(file.size for block in self.blocks.values() for file in block.files)

    def keep(
        self, number: int, counts: Sequence[int], files: Sequence[Path], figures: Sequence[Sequence[float]] = ()
    ) -> None:
        """A block is finished, and its files, in this folder, are closed. It counts once its record is on the disk."""
        kept = tuple(KeptFile(file.name, file.stat().st_size, _checksum(file, sync=True)) for file in files)
        block = KeptBlock(number, tuple(counts), kept, tuple(map(tuple, figures)))
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
            for folder in self._made:
                with contextlib.suppress(OSError):
                    folder.rmdir()

    def _require_ours(self) -> None:
        """Raise FileError where a link, or a folder with other files, has the folder's name."""
        if is_link(self.path):
            raise FileError(
                f"{self.path} is a link, and finished blocks are kept in a folder of that name: remove the link, or "
                "choose another file name."
            )
        foreign = _foreign(self.path) if self.path.is_dir() and _call_of(self.path) is None else []
        if foreign:
            raise FileError(
                f"{self.path} holds other files ({foreign[0]}), and finished blocks are kept in a folder of that name: "
                "move it, or choose another file name."
            )

    def _locked(self) -> BinaryIO:
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # another run has just removed the folder
                lock = take_lock(self.path / _LOCK)
                if lock is None:
                    raise held_by_another_run(self.path.with_suffix(""))
                return lock

    def _read_blocks(self, check: Callable[[], None]) -> None:
        for path in self.path.glob(_record("*")):
            check()
            with contextlib.suppress(OSError, ValueError, TypeError):
                block: KeptBlock = rebuild(KeptBlock, parse(_text(path)))
                if all(map(self._whole, block.files)):
                    self.blocks[block.number] = block

    def _whole(self, file: KeptFile) -> bool:
        path = self.path / Path(file.name).name
        return (
            not is_link(path)
            and path.is_file()
            and path.stat().st_size == file.size
            and _checksum(path) == file.checksum
        )

    def _clear(self) -> None:
        """Remove what is no finished block: other calls' and damaged ones, temporary files of a killed run."""
        known = {_record(number) for number in self.blocks}
        known |= {file.name for block in self.blocks.values() for file in block.files}
        for name in os.listdir(self.path):
            if name not in known and _OURS.fullmatch(name):
                (self.path / name).unlink()


def sweep_old(folder: Path, seconds: float = _OLD) -> None:
    """Delete folders of kept blocks in `folder` to which nothing was added for 14 days and that no run holds."""
    for kept in folder.glob("*" + KEPT_BLOCKS_END):
        with contextlib.suppress(OSError):
            file = kept / _LOCK
            if is_link(kept) or is_link(file) or not file.is_file() or time.time() - kept.stat().st_mtime < seconds:
                continue
            if _call_of(kept) is None and os.listdir(kept) != [_LOCK]:
                continue
            with open(file, "ab") as lock:
                if try_lock(lock):
                    _remove(kept, lock)


def _call_of(folder: Path) -> Optional[str]:
    """The call that the blocks in a folder of kept blocks are of, '' of none; None without a manifest of ours."""
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        manifest = parse(_text(folder / _MANIFEST))
        if manifest["about"] == _ABOUT:
            return str(manifest["call"])
    return None


def _remove(folder: Path, lock: BinaryIO) -> None:
    """Delete a folder while its lock keeps other runs from entering it; files in it that are not ours stay."""
    for name in os.listdir(folder):
        if _OURS.fullmatch(name):
            with contextlib.suppress(OSError):
                (folder / name).unlink()
    if not _foreign(folder):  # else it is still to be known as ours
        with contextlib.suppress(OSError):
            (folder / _MANIFEST).unlink()
    remove_lock(lock, folder / _LOCK)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _foreign(folder: Path) -> list[str]:
    """Names in a folder of kept blocks that are none of ours."""
    return [name for name in os.listdir(folder) if name not in (_LOCK, _MANIFEST) and not _OURS.fullmatch(name)]


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


def _text(path: Path) -> str:
    require_file(path)
    return path.read_text(encoding="utf-8")


def _write(path: Path, content: object) -> None:
    """A whole JSON file, on the disk, or none."""
    temporary = path.with_name(path.name + ".new")
    remove_link(temporary)
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    with contextlib.suppress(OSError):  # Windows opens no folder
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
