"""A scene as training sees it: the stored tiles, ready to be cut into patches."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..shared.jobs import TileFiles
from .bands import BandScaler, to_float

_TOGETHER = 64  # tiles that are mapped into memory at a time
SAMPLE = 200_000  # valid pixels that statistics are taken from, at most


@dataclass(frozen=True)
class Patches:
    """A batch of patches.

    inputs   (B, D, H, W) channels of all modalities, 0 where invalid
    valid    (B, 1, H, W) bool
    labels   (B, H, W) class position, -1 without a label
    held     (B, H, W) bool, pixels kept for the accuracy figures
    corners  (B, 2) grid row and column of each patch's first pixel
    """

    inputs: Tensor
    valid: Tensor
    labels: Tensor
    held: Tensor
    corners: Tensor

    def to(self, device: torch.device) -> Patches:
        """The same patches on another device."""
        return Patches(*(getattr(self, each.name).to(device) for each in fields(self)))

    def first(self, count: int) -> Patches:
        """The first patches of the batch."""
        return Patches(*(getattr(self, each.name)[:count] for each in fields(self)))


def sample_pixels(files: TileFiles, modality: int, seed: int) -> np.ndarray:
    """Values (P, C) of at most SAMPLE valid pixels of one modality, spread evenly over the blind tiles.

    Raises InputError where no pixel is valid.
    """
    valid = np.load(files.valid, mmap_mode="r")[: files.blind]
    values = np.load(files.modalities[modality], mmap_mode="r")[: files.blind]
    random = np.random.default_rng(seed)
    each = max(1, SAMPLE // max(1, len(valid)))
    parts = []
    for mask, tile in zip(valid, values, strict=True):
        rows, columns = np.nonzero(mask)
        if len(rows) > each:
            chosen = random.choice(len(rows), each, replace=False)
            rows, columns = rows[chosen], columns[chosen]
        parts.append(np.asarray(tile[:, rows, columns]).T)
    pixels = np.concatenate(parts) if parts else np.empty((0, values.shape[1]))
    if not len(pixels):
        raise InputError("The scene has no valid pixel where training could learn.")
    return pixels


class TileScene:
    """The stored tiles as channels in memory, addressed by grid pixel.

    Labelled pixels that are not in the samples have no label here, and are kept out of every loss.

    Args:
        files: the tiles that QGIS stored.
        scalers: one per modality.
    """

    def __init__(self, files: TileFiles, scalers: Sequence[BandScaler]) -> None:
        self.tile = files.tile
        index = np.load(files.index)
        stored = np.load(files.valid)
        self.count = len(index)
        # one more tile stands for everything that was not stored: no valid pixel, no label
        self._table = np.full((index.max(axis=0) + 1).tolist() if self.count else [1, 1], self.count)
        self._table[index[:, 0], index[:, 1]] = np.arange(self.count)
        self._valid = torch.zeros(self.count + 1, self.tile, self.tile, dtype=torch.bool)
        self._valid[: self.count] = torch.from_numpy(stored)
        channels = sum(scaler.channels for scaler in scalers)
        self._channels = torch.zeros(self.count + 1, self.tile, self.tile, channels)
        bands = sum(len(scaler.low) for scaler in scalers)
        self._bands = torch.zeros(self.count + 1, self.tile, self.tile, bands, dtype=torch.float16)
        self._fill(files, scalers)
        self._labels = torch.full(self._valid.shape, -1, dtype=torch.int16)
        self._held = torch.zeros_like(self._valid)
        self.training = self._points(files.training)
        self.held_out = self._points(files.held_out)
        self._labels[self._place(self.training)] = torch.from_numpy(self.training[:, 2].astype(np.int16))
        self._held[self._place(self.held_out)] = True
        if files.labelled:
            self._held[: self.count] |= torch.from_numpy(np.load(files.labelled)) & (self._labels[: self.count] < 0)
        self._drawn = np.array(files.drawn)
        self._blind = files.blind
        self.corners = index * self.tile
        self.weights = stored.reshape(self.count, -1).mean(axis=1)  # share of valid pixels per tile

    @property
    def channels(self) -> int:
        """Number of channels D of all modalities."""
        return self._channels.shape[-1]

    def kept_on(self, device: torch.device) -> TileScene:
        """The scene with its arrays on a CUDA card where they take at most a third of its free memory: patches are
        then cut and turned there."""
        if device.type == "cuda":
            names = ("_channels", "_bands", "_valid", "_labels", "_held")
            if 3 * sum(getattr(self, name).nbytes for name in names) <= torch.cuda.mem_get_info(device)[0]:
                for name in names:
                    setattr(self, name, getattr(self, name).to(device))
        return self

    def blind(self) -> TileScene:
        """What is the same whatever polygons were drawn: the tiles chosen without regard to them, and no pixel held out
        of a loss that needs no labels."""
        view = copy.copy(self)
        view.corners, view.weights = self.corners[: self._blind], self.weights[: self._blind]
        view._table = np.where(self._table < len(view.weights), self._table, self.count)
        view._held = self._held.new_zeros(()).expand_as(self._held)
        return view

    def _fill(self, files: TileFiles, scalers: Sequence[BandScaler]) -> None:
        first = first_band = 0
        for path, scaler in zip(files.modalities, scalers, strict=True):
            last, last_band = first + scaler.channels, first_band + len(scaler.low)
            centre = scaler.centre.cpu().double().numpy()
            for number in range(self.count):
                if number % _TOGETHER == 0:  # a new map: what was read through the old one takes memory no more
                    values = np.load(path, mmap_mode="r")
                raster = to_float(values[number], centre)[None]
                valid = self._valid[number][None, None]
                bands = scaler.standardise(raster, valid)
                self._bands[number, :, :, first_band:last_band] = bands[0].permute(1, 2, 0)
                self._channels[number, :, :, first:last] = scaler.channels_of(bands, valid)[0].permute(1, 2, 0)
            first, first_band = last, last_band

    def drawn(self, points: np.ndarray, classes: int) -> np.ndarray:
        """Labelled pixels (K,) of each class that some training pixels (P, 4) stand for: themselves, or more where they
        are a sample."""
        counts: np.ndarray = np.bincount(points[:, 2], minlength=classes)
        if len(self._drawn):
            counts = counts * (self._drawn / np.bincount(self.training[:, 2], minlength=classes).clip(1))
        return counts

    @staticmethod
    def _points(path: str | None) -> np.ndarray:
        return np.load(path) if path else np.empty((0, 4), np.int32)

    def set_aside(self, points: np.ndarray) -> None:
        """Take the labels of training pixels (P, 4) away, and keep the pixels out of every loss."""
        place = self._place(points)
        self._labels[place] = -1
        self._held[place] = True

    def bring_back(self, points: np.ndarray) -> None:
        """Undo set_aside()."""
        place = self._place(points)
        self._labels[place] = torch.from_numpy(points[:, 2].astype(np.int16)).to(self._labels.device)
        self._held[place] = False

    def _place(self, points: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        rows, columns = points[:, 0].astype(np.int64), points[:, 1].astype(np.int64)
        return self._locate(rows, columns)

    def _locate(self, rows: np.ndarray, columns: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        tile_rows, tile_columns = rows // self.tile, columns // self.tile
        inside = (rows >= 0) & (columns >= 0)
        inside &= (tile_rows < self._table.shape[0]) & (tile_columns < self._table.shape[1])
        found = self._table[np.where(inside, tile_rows, 0), np.where(inside, tile_columns, 0)]
        tiles = np.where(inside, found, self.count)
        return torch.from_numpy(tiles), torch.from_numpy(rows % self.tile), torch.from_numpy(columns % self.tile)

    def cut(self, corners: np.ndarray, patch_size: int, bands: bool = False) -> Patches:
        """Patches of `patch_size` pixels whose first pixels are `corners` (B, 2); what is not stored is invalid.

        With `bands` the standardised bands follow the channels of the network.
        """
        steps = np.arange(patch_size)
        rows = np.broadcast_to((corners[:, 0, None] + steps)[:, :, None], (len(corners), patch_size, patch_size))
        columns = np.broadcast_to((corners[:, 1, None] + steps)[:, None, :], (len(corners), patch_size, patch_size))
        place = self._locate(rows, columns)
        inputs = self._channels[place]
        if bands:
            inputs = torch.cat([inputs, self._bands[place].float()], dim=-1)
        return Patches(
            inputs=inputs.permute(0, 3, 1, 2),
            valid=self._valid[place][:, None],
            labels=self._labels[place].long(),
            held=self._held[place],
            corners=torch.from_numpy(np.ascontiguousarray(corners)),
        )
