"""New files take their places together, also where the process is killed between two renames.

Hidden beside a result, under one token, are its lock, which ends with the process, temporary files, older files that
make way, and a journal of what becomes what. Whoever next writes into the folder finishes what the journal says (its
temporary files are whole), or sweeps what has none. Files that are not as the journal knew them are left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, TypedDict

from .locks import MARK, lock_file, remove_lock, take_lock
from .paths import is_link, require_file

KEPT_BLOCKS_END = ".bdgf-part"
_OURS = re.compile(re.escape(MARK) + r"(?P<token>[0-9a-f]{8}|[0-9a-f]{16})[.-]")
_ARMED, _UNDONE, _OLD, _NEW = ".moves", ".undo", "-old", "-new"
_LONGEST_JOURNAL = 1 << 20  # bytes
_LONGEST_SUFFIX = 32  # bytes of a suffix that a temporary file keeps: GDAL and QGIS look at it


class _Move(TypedDict):
    temporary: Optional[str]  # None: the older file only goes
    target: str
    backup: str
    new: Optional[list[int]]  # state of the temporary file: bytes, time of the last change in nanoseconds
    old: Optional[list[int]]  # state of what stood in the place


def new_token() -> str:
    """What the names of one result's hidden files share."""
    return secrets.token_hex(4)


def temporary_file(folder: Path, token: str, suffix: str) -> Path:
    """Where a result with this suffix is written at first."""
    return folder / f"{MARK}{token}{_NEW}{suffix if len(os.fsencode(suffix)) <= _LONGEST_SUFFIX else ''}"


class Swap:
    """The renames of one result and of what belongs beside it, in one folder.

    Args:
        folder: where the places are.
        token: of its hidden files, whose lock the caller holds.
        moves: temporary files and their places, in order; the files lie in the folder or with kept blocks in it. None
            instead of a file: what stands in the place only goes.
    """

    def __init__(self, folder: Path, token: str, moves: Sequence[tuple[Optional[Path], Path]]) -> None:
        self._folder = folder
        self._token = token
        self._moves: list[_Move] = [
            {
                "temporary": None if temporary is None else temporary.relative_to(folder).as_posix(),
                "target": target.name,
                "backup": f"{MARK}{token}{_OLD}{number}",
                "new": _state(temporary),
                "old": _state(target),
            }
            for number, (temporary, target) in enumerate(moves)
        ]

    @property
    def targets(self) -> list[Path]:
        """The places, in order."""
        return [self._folder / move["target"] for move in self._moves]

    def note(self, leader: Swap) -> None:
        """Write the journal. Those of several results count once that of their `leader`, the last, is there."""
        last = leader._moves[-1]
        place = None if leader is self else str((leader._folder / last["target"]).absolute())
        text = json.dumps({"moves": self._moves, "leader": leader._token, "place": place, "state": last["new"]})
        temporary = self._journal(_ARMED + _NEW)
        with open(temporary, "x", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._journal(_ARMED))
        with contextlib.suppress(OSError):  # Windows opens no folder
            handle = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def place(self, number: int) -> None:
        """One file takes its place, an older one makes way. Raises OSError."""
        move = self._moves[number]
        target = self._folder / move["target"]
        if os.path.lexists(target):
            os.replace(target, self._folder / move["backup"])
        if move["temporary"] is not None:
            os.replace(self._folder / move["temporary"], target)

    def turn_back(self) -> None:
        """From here on a next run restores what was; for the leader."""
        with contextlib.suppress(OSError):
            os.replace(self._journal(_ARMED), self._journal(_UNDONE))

    def restore(self) -> None:
        """Put back what stood in the places, and remove what was new."""
        for move in reversed(self._moves):
            target, backup = self._folder / move["target"], self._folder / move["backup"]
            with contextlib.suppress(OSError):
                standing = _state(target)
                if standing is not None and standing != move["new"]:
                    continue  # never moved, or somebody's newer file
                if os.path.lexists(backup):
                    os.replace(backup, target)
                elif move["old"] is None and standing is not None:
                    target.unlink()
        if not any(os.path.lexists(self._folder / move["backup"]) for move in self._moves):
            self._forget()

    def clear(self) -> None:
        """All is in place: remove older files that made way, and the journal."""
        for move in self._moves:
            with contextlib.suppress(OSError):
                (self._folder / move["backup"]).unlink()
        self._forget()

    def _forget(self) -> None:
        for end in (_ARMED, _UNDONE):
            with contextlib.suppress(OSError):
                self._journal(end).unlink()

    def _journal(self, end: str) -> Path:
        return self._folder / f"{MARK}{self._token}{end}"

    # ------------------------------------------------------------ after a process was killed

    @classmethod
    def found(cls, folder: Path, token: str) -> Optional[tuple[Swap, dict[str, Any]]]:
        """What the journal of a process that is gone says; None without one that is whole."""
        swap = cls(folder, token, ())
        for end in (_ARMED, _UNDONE):
            with contextlib.suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
                require_file(swap._journal(end))
                with open(swap._journal(end), encoding="ascii") as file:
                    said = json.loads(file.read(_LONGEST_JOURNAL))
                swap._moves = [_checked(each, token, folder) for each in said["moves"]]
                return swap, said
        return None

    def finish(self) -> list[str]:
        """Place what is not in place yet; returns the names of the results. Newer files of others stay."""
        placed = []
        for move in self._moves:
            target, backup = self._folder / move["target"], self._folder / move["backup"]
            standing = _state(target)
            with contextlib.suppress(OSError):
                if move["temporary"] is None:
                    if standing is not None and standing == move["old"]:
                        target.unlink()
                    continue
                temporary = self._folder / move["temporary"]
                if _state(temporary) == move["new"] and (standing is None or standing == move["old"]):
                    os.replace(temporary, target)
                    placed.append(move["target"])
                elif standing is None and os.path.lexists(backup):
                    os.replace(backup, target)
                temporary.unlink(missing_ok=True)
        return placed

    def is_armed(self, said: dict[str, Any]) -> bool:
        """Whether all files were to be in place: the leader's journal says so, or its file is."""
        if said["place"] is None:
            return self._journal(_ARMED).exists()
        place = Path(str(said["place"]))
        leader = Swap(place.parent, str(said["leader"]), ())
        if leader._journal(_UNDONE).exists():
            return False
        return leader._journal(_ARMED).exists() or _state(place) == said["state"]


def finish_cut(folder: Path) -> list[str]:
    """Finish or sweep what killed processes left in a folder; returns the names of results that took their places.

    What a live process holds is left alone, and so is everything on a disk without locks.
    """
    tokens: set[str] = set()
    with contextlib.suppress(OSError):
        tokens = {found["token"] for found in map(_OURS.match, os.listdir(folder)) if found}
    followers = {token for token in tokens if (journal := Swap.found(folder, token)) and journal[1]["place"]}
    placed: list[str] = []
    for token in sorted(tokens, key=lambda token: (token not in followers, token)):  # leaders last
        path = lock_file(folder, token)
        with contextlib.suppress(OSError):
            lock = take_lock(path, lockless=False)
            if lock is not None:
                placed += _finish(folder, token)
                remove_lock(lock, path)
    return placed


def _finish(folder: Path, token: str) -> list[str]:
    journal = Swap.found(folder, token)  # again: its run may have ended well by now
    placed: list[str] = []
    if journal is not None:
        swap, said = journal
        if swap.is_armed(said):
            placed = swap.finish()
            swap.clear()
        else:
            swap.restore()
    remove_temporary_files(folder, token)
    return placed


def remove_temporary_files(folder: Path, token: str) -> None:
    """Remove a token's temporary files from a folder, with what GDAL and SQLite leave beside them."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith((f"{MARK}{token}{_NEW}", f"{MARK}{token}{_ARMED}{_NEW}")):
                with contextlib.suppress(OSError):
                    os.unlink(folder / name)


def _state(path: Optional[Path]) -> Optional[list[int]]:
    """A link is not followed; None where nothing is, or no path was given."""
    if path is None:
        return None
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns]


def _checked(move: Any, token: str, folder: Path) -> _Move:
    """A move of a journal. Raises ValueError where it names what is not in the folder, or hidden files of others."""
    target, backup = str(move["target"]), str(move["backup"])
    temporary = None if move["temporary"] is None else str(move["temporary"])
    fine = _is_name(target) and not _OURS.match(target) and _is_name(backup) and backup.startswith(MARK + token + _OLD)
    if temporary is not None:
        part, _, name = temporary.rpartition("/")
        fine = fine and _is_name(name) and name.startswith(MARK + token + _NEW)
        if part:
            fine = fine and _is_name(part) and part.endswith(KEPT_BLOCKS_END) and not is_link(folder / part)
    if not fine:
        raise ValueError(move)
    return _Move(temporary=temporary, target=target, backup=backup, new=move["new"], old=move["old"])


def _is_name(text: str) -> bool:
    """Whether a text names something in a folder and nothing outside it."""
    return text not in ("", ".", "..") and not set(text) & {"/", "\\", ":", "\0"}
