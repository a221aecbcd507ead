"""Copies of what training needs of a scene: square tiles around labels, and others chosen at random.

Each pixel is copied once, in the raster's own type. The size is bounded. Of a scene that does not fit, half of the size
goes to blind tiles: drawn at random whatever the labels are, so that pre-training, which takes those alone, gives the
same network again after polygons were edited. The rest goes to the labelled tiles, their eight neighbours, and random
ones. Where not even the labelled tiles fit, those to learn from are shared out over the classes, and those for the
accuracy figures chosen at random.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

import numpy as np

from ....model.shared.jobs import TileFiles
from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..grid import Window
from ..npy import NpyWriter, save_array
from ..reading.stack import ModalityStack
from .label_map import NONE, LabelMap
from .labels import Labels

MOST_BYTES = 1024**3
_MOST_CHANNELS = 32  # that the worker makes of a raster's bands, four bytes each
_BAND_BYTES = 2  # of each band as the probes see it
_WORKER_BYTES = 4  # of each pixel that the worker keeps beside its channels: validity, label, held out
_READ = 32 * 1024 * 1024  # bytes that are read at once

_MOST_TRIED = 4_000_000  # tiles that are drawn, of which some hold no valid pixel
_ACROSS = 2**31  # more than there are tiles side by side

Place = tuple[int, int]


@dataclass(frozen=True)
class TilePlan:
    """Which tiles to copy, as rows and columns in the lattice of tiles.

    blind  number of tiles that are copied first, in the order of `fill` (where they hold a valid pixel)
    first  tiles that are copied then in any case
    fill   tiles that follow, in this order, up to `most`
    most   number of tiles that are copied in all
    total  number of tiles in the window
    notes  what had to be left out
    assessed  keys (see _keys) of the tiles whose held-out pixels count; None where all do
    """

    blind: int
    first: tuple[Place, ...]
    fill: np.ndarray
    most: int
    total: int
    notes: tuple[str, ...]
    assessed: Optional[np.ndarray] = None


def plan_tiles(window: Window, labels: Optional[Labels], tile: int, most: int, seed: int) -> TilePlan:
    """Choose tiles of a window of the grid; `most` is the number of tiles that fit, two or more."""
    low, high = (window.row // tile, window.column // tile), (-(-window.row_end // tile), -(-window.column_end // tile))
    across = high[1] - low[1]
    total = max(0, high[0] - low[0]) * max(0, across)
    random = np.random.default_rng(seed)
    whole = total <= most
    others = np.arange(total) if whole else _permuted(total, random)  # drawn first: labels must not change it
    fill = np.stack([others // max(1, across) + low[0], others % max(1, across) + low[1]], axis=1)
    blind = most if whole else most // 2
    if whole or labels is None:
        return TilePlan(blind, (), fill, blind, total, ())
    spare = most - blind
    labelled = _tiles_of(labels.points, tile)
    notes, assessed = [], None
    if len(labelled) <= spare:
        neighbours = _around(labelled, low, high)
        fitting = min(len(neighbours), spare - len(labelled))
        if fitting < len(neighbours):
            notes.append(f"{len(neighbours) - fitting:,} tiles beside labelled ones are left out to keep to the limit.")
            neighbours = neighbours[np.sort(random.permutation(len(neighbours))[:fitting])]
        first = np.concatenate([labelled, neighbours])
    else:
        held_out = _tiles_of(labels.held_out, tile)
        count = min(len(held_out), max(1, spare // 4), max(0, spare - 1))
        assessed = held_out[random.permutation(len(held_out))[:count]]
        first = _fair_share(labels, tile, assessed, spare, random)
        notes.append(
            f"{len(labelled) - len(first):,} of {len(labelled):,} tiles with labelled pixels are left out to keep to "
            "the size limit: those to learn from at random but evenly over the classes, those for the accuracy "
            "figures at random."
        )
    places = tuple((int(row), int(column)) for row, column in zip(*_places(first)))
    return TilePlan(blind, places, fill, most, total, tuple(notes), assessed)


def _permuted(total: int, random: np.random.Generator) -> np.ndarray:
    """The numbers below `total` at random; of very many only some, each once."""
    if total <= _MOST_TRIED:
        return random.permutation(total)
    return random.permutation(np.unique(random.integers(total, size=_MOST_TRIED)))


def copy_tiles(
    stack: ModalityStack,
    labels: Optional[Labels],
    folder: Path,
    tile: int = 64,
    max_bytes: int = MOST_BYTES,
    seed: int = 0,
    feedback: Feedback = SILENT,
    extent: Optional[Window] = None,
) -> TileFiles:
    """Copy the tiles that training needs into .npy files in an existing folder.

    Args:
        stack: the rasters.
        labels: labelled pixels; their tiles come first. None copies tiles of the scene alone.
        folder: where the files go.
        tile: side of a tile, pixels.
        max_bytes: bound on the size of all files, and on what the worker makes of them in memory.
        seed: of the random choice.
        feedback: told the share that is done and lines for the log; asked about Cancel before each read.
        extent: part of the grid to copy from; pixels outside count as invalid.

    Raises RasterError where no pixel is valid or a file cannot be read, FileError where the folder's disk is full,
    RunCancelled.
    """
    folder = Path(folder)
    area = stack.overlap if extent is None else extent.intersection(stack.overlap)
    in_memory = 4 * sum(min(len(modality.bands), _MOST_CHANNELS) for modality in stack.modalities)
    in_memory += _BAND_BYTES * sum(len(modality.bands) for modality in stack.modalities) + _WORKER_BYTES
    cost = max(stack.pixel_bytes, in_memory) * tile * tile + 8
    plan = plan_tiles(area, labels, tile, max(2, int(max_bytes // cost)), seed)
    for text in plan.notes:
        feedback.warn(text)
    feedback.check()
    partial = labels is not None and (len(labels.points) < sum(labels.drawn) or plan.assessed is not None)
    copier = _Copier(stack, area, folder, tile, feedback, labels.map if labels is not None and partial else None)
    for batch in _batches(plan, copier):
        copier.copy(
            batch, lambda: feedback.at(min(1.0, max(len(copier.places) / plan.most, copier.tried / max(1, plan.total))))
        )
    copier.close()
    if not copier.places:
        raise RasterError("The rasters have no pixel where all of them are valid, so there is nothing to learn from.")
    feedback.at(1.0)
    size = len(copier.places) * stack.pixel_bytes * tile * tile
    used = len(copier.places) * in_memory * tile * tile
    feedback.info(
        f"Copied {len(copier.places):,} tiles of {tile} x {tile} pixels: {size / 1024**2:.1f} MiB on disk, "
        f"{used / 1024**2:.1f} MiB in the worker's memory.",
    )
    stored = np.array(copier.places, np.int32).reshape(-1, 2)
    files = TileFiles(
        tile,
        save_array(folder / "index.npy", stored),
        tuple(str(file) for file in copier.files),
        str(copier.valid_file),
        blind=min(plan.blind, len(copier.places)),
    )
    if labels is None:
        return files
    assessed = _keys(stored) if plan.assessed is None else plan.assessed
    return replace(
        files,
        training=save_array(folder / "training.npy", _inside(labels.training, _keys(stored), tile)),
        held_out=save_array(folder / "held_out.npy", _inside(labels.held_out, assessed, tile)),
        labelled=str(copier.labelled_file) if partial else None,
        drawn=tuple(count.training_pixels for count in labels.counts) if partial else (),
    )


def used_labels(labels: Labels, files: TileFiles) -> Labels:
    """The labels, their counts completed by what of them the files hold."""
    counts = labels.counts
    for name, path in (("training_used", files.training), ("held_out_used", files.held_out)):
        used = np.bincount(np.load(str(path))[:, 2], minlength=len(counts)).tolist()
        counts = tuple(replace(count, **{name: number}) for count, number in zip(counts, used))
    return replace(labels, counts=counts)


def _batches(plan: TilePlan, copier: _Copier) -> Iterator[list[Place]]:
    """Tiles to try, until as many are copied as may be or none is left; within a batch in the order of the raster."""
    tried: set[Place] = set()
    fill = (place for place in ((int(row), int(column)) for row, column in plan.fill) if place not in tried)

    def filled(most: int) -> Iterator[list[Place]]:
        while (left := most - len(copier.places)) > 0 and (batch := sorted(itertools.islice(fill, left))):
            yield batch
            tried.update(batch)

    yield from filled(plan.blind)
    yield sorted(set(plan.first) - tried)
    tried.update(plan.first)
    yield from filled(plan.most)


class _Copier:
    """Writes tiles with a valid pixel to the files."""

    def __init__(
        self,
        stack: ModalityStack,
        area: Window,
        folder: Path,
        tile: int,
        feedback: Feedback,
        labelled: Optional[LabelMap],
    ) -> None:
        self.places: list[Place] = []
        self.tried = 0
        self.files = [folder / f"modality-{number}.npy" for number in range(len(stack.modalities))]
        self.valid_file = folder / "valid.npy"
        self.labelled_file = folder / "labelled.npy"
        self._stack = stack
        self._area = area
        self._tile = tile
        self._feedback = feedback
        self._values = [
            NpyWriter(path, (len(modality.bands), tile, tile), modality.dtype)
            for path, modality in zip(self.files, stack.modalities)
        ]
        self._valid = NpyWriter(self.valid_file, (tile, tile), "bool")
        self._map = labelled
        self._labelled = [] if labelled is None else [NpyWriter(self.labelled_file, (tile, tile), "bool")]

    def copy(self, places: Sequence[Place], done: Callable[[], None]) -> None:
        """Copy tiles, given in the order of the raster; neighbours in a row are read at once."""
        most = max(1, _READ // (self._stack.pixel_bytes * self._tile**2))
        for run in _runs(places, most):
            self._feedback.check()
            self._copy_run(run)
            self._stack.spare_memory()
            self.tried += len(run)
            done()

    def close(self) -> None:
        """The files are whole."""
        for each in (*self._values, self._valid, *self._labelled):
            each.close()

    def _copy_run(self, run: Sequence[Place]) -> None:
        tile = self._tile
        window = Window(run[0][0] * tile, run[0][1] * tile, tile, tile * len(run))
        arrays, valid = self._stack.read(window)
        allowed = self._area.intersection(window)
        if allowed != window:
            inside = np.zeros_like(valid)
            if not allowed.empty:
                inside[allowed.slices_in(window)] = True
            valid &= inside
            arrays = [np.where(valid, each, each.dtype.type(0)) for each in arrays]
        marks = np.zeros_like(valid) if self._map is None else self._map.read(window) != NONE
        for number, place in enumerate(run):
            columns = slice(number * tile, (number + 1) * tile)
            if valid[:, columns].any():
                self._valid.append(valid[:, columns])
                for writer, array in zip(self._values, arrays):
                    writer.append(array[:, :, columns])
                self.places.append(place)
                for each in self._labelled:
                    each.append(marks[:, columns])


def _runs(places: Iterable[Place], most: int) -> Iterator[list[Place]]:
    run: list[Place] = []
    for place in places:
        if run and (place != (run[-1][0], run[-1][1] + 1) or len(run) == most):
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _keys(places: np.ndarray) -> np.ndarray:
    """Tiles (N, 2: row, column) as numbers (N,) that are ordered as they are."""
    keys: np.ndarray = places[:, 0].astype(np.int64) * _ACROSS + places[:, 1]
    return keys


def _places(keys: np.ndarray) -> tuple[list[int], list[int]]:
    """Rows and columns of tiles."""
    rows, columns = np.divmod(keys, _ACROSS)
    return rows.tolist(), columns.tolist()


def _tiles_of(points: np.ndarray, tile: int) -> np.ndarray:
    """Keys of the tiles that hold any of the points (P, 2 or more: row, column)."""
    return np.unique(_keys(points[:, :2] // tile))


def _around(tiles: np.ndarray, low: Place, high: Place) -> np.ndarray:
    """Keys of the neighbours (of eight) of some tiles that are none of them, inside the lattice."""
    steps = [row * _ACROSS + column for row in (-1, 0, 1) for column in (-1, 0, 1)]
    found = np.setdiff1d(np.concatenate([tiles + step for step in steps]), tiles)
    rows, columns = np.divmod(found, _ACROSS)
    return found[(rows >= low[0]) & (rows < high[0]) & (columns >= low[1]) & (columns < high[1])]


def _fair_share(labels: Labels, tile: int, chosen: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """The chosen tiles, and as many with training pixels as fit: in turn one of each class, at random."""
    queues = []
    for position in range(len(labels.classes)):
        own = _tiles_of(labels.training[labels.training[:, 2] == position], tile)
        queues.append(random.permutation(own).tolist())
    found = dict.fromkeys(chosen.tolist())
    while len(found) < most and any(queues):
        for queue in queues:
            if queue and len(found) < most:
                found[queue.pop()] = None
    return np.array(list(found), np.int64)


def _inside(points: np.ndarray, tiles: np.ndarray, tile: int) -> np.ndarray:
    """The points that lie in some tiles, given as keys."""
    return points[np.isin(_keys(points[:, :2] // tile), tiles)]
