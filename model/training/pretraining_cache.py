"""Finished pre-trainings, kept from run to run: the same scene, settings and seed give the same network.

Each is a file named after a hash of all that a pre-training comes from. Several processes may use the folder at once,
and it may be emptied at any time: an entry comes into being whole, and is read whole or counts as missing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from ..diffusion.unet import UNet
from ..job.reporter import Reporter
from ..shared.events import Curve
from ..shared.jobs import CacheFolder, TileFiles
from ..shared.rebuild import rebuild, rebuildable
from .curves import CurveLog
from .state_file import DamagedState, State, read_state, write_state

_OURS = re.compile(r"[0-9a-f]{32}\.safetensors(\.\w+\.new)?")  # entries, and drafts of them
_TOGETHER = 64  # tiles that are mapped into memory at a time
_READ = 1 << 22  # bytes of a file that are read at once


@rebuildable
@dataclass(frozen=True)
class _Rest:
    """What an entry holds beside the weights."""

    curves: tuple[Curve, ...]


class PretrainingCache:
    """The entry of one pre-training in the cache.

    Args:
        cache: the folder, made where it is missing; None keeps and finds nothing.
        job: a hash of all that the pre-training comes from.
        reporter: told of what is reused, is damaged or cannot be kept; nothing of it stops the job.
    """

    def __init__(self, cache: CacheFolder | None, job: str, reporter: Reporter) -> None:
        self._cache = cache
        self._job = hashlib.blake2b(job.encode(), digest_size=16).hexdigest()
        self._reporter = reporter
        self.path = os.path.join(cache.path, f"{self._job}.safetensors") if cache is not None else ""

    def load(self, unet: UNet, log: CurveLog) -> bool:
        """Gives a network the weights, and the log the curves, of the pre-training; False where it is not there."""
        if self._cache is None:
            return False
        try:
            state = read_state(self.path, self._job)
            if state is None:
                return False
            _check(state.tensors, unet.state_dict())
            rest: _Rest = rebuild(_Rest, state.rest)
            log.restore(rest.curves)
        except ValueError as error:
            text = f"The kept pre-training {self.path} is damaged ({error}) and was removed: it is made anew."
            self._reporter.note("warning", text)
            with contextlib.suppress(OSError):
                os.unlink(self.path)
            return False
        unet.load_state_dict(state.tensors)
        with contextlib.suppress(OSError):  # it was removed just now
            os.utime(self.path)
        _shrink(self._cache)
        self._reporter.note("info", "Pre-training of this scene reused.")
        return True

    def keep(self, unet: UNet, log: CurveLog) -> None:
        """Adds the pre-training; those that were not used for the longest time go where there is no room for it."""
        weights = unet.state_dict()
        if self._cache is None or not all(torch.isfinite(each).all() for each in weights.values()):
            return
        try:
            os.makedirs(self._cache.path, exist_ok=True)
            write_state(self.path, self._job, State(0, weights, asdict(_Rest(log.curves()))))
        except OSError as error:
            text = f"This pre-training cannot be kept in {self._cache.path} ({error}): the next run learns it anew."
            self._reporter.note("info", text)
        _shrink(self._cache)


def _check(weights: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Raise DamagedState where weights are none of a network with such a state."""
    if {name: (each.dtype, each.shape) for name, each in weights.items()} != {
        name: (each.dtype, each.shape) for name, each in wanted.items()
    }:
        raise DamagedState("its weights are of another network")
    if not all(torch.isfinite(each).all() for each in weights.values()):
        raise DamagedState("its weights are not finite")


def _shrink(cache: CacheFolder) -> None:
    """Removes entries, the least recently used first, until the folder keeps to its bound. Links are never followed."""
    with contextlib.suppress(OSError), os.scandir(cache.path) as entries:
        files = []
        for each in entries:
            if _OURS.fullmatch(each.name) and each.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):  # another process has removed it
                    state = each.stat(follow_symlinks=False)
                    files.append((state.st_mtime_ns, state.st_size, each.path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= cache.most_bytes:
                break
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size


def pretraining_digest(values: Iterable[object], tiles: TileFiles, start: str | None) -> str:
    """A hash of all that a pre-training comes from: settings and such as their texts, the content of the blind tiles,
    and that of the model which it starts from."""
    found = hashlib.blake2b(digest_size=16)
    for value in values:
        found.update(repr(value).encode() + b"\0")
    for path in (tiles.index, tiles.valid, *tiles.modalities):
        for some in _tiles(path, tiles.blind):
            found.update(f"{some.dtype.str} {some.shape}\0".encode())
            found.update(some.data)
    if start is not None:
        with open(start, "rb") as file:
            while part := file.read(_READ):
                found.update(part)
    return found.hexdigest()


def _tiles(path: str, count: int | None) -> Iterator[np.ndarray]:
    """The first tiles of a file, some at a time: what was read through an earlier map takes memory no more."""
    total = len(np.load(path, mmap_mode="r")[:count])
    for first in range(0, total, _TOGETHER):
        yield np.ascontiguousarray(np.load(path, mmap_mode="r")[first : min(first + _TOGETHER, total)])
