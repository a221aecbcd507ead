"""Whole-scene inference, block by block: patches on the lattice, a batch at a time, blended."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..bdgf import load_model
from ..data.bands import to_float
from ..device.choice import choose_device, describe
from ..job.reporter import Reporter
from ..shared.events import BlockDone
from ..shared.header import ModelFileError
from ..shared.jobs import CERTAIN, NO_CLASS, Block, ClassifyJob
from .batches import Predictor
from .lattice import blend_weight, lattice_corners


class BlockClassifier:
    """A loaded model that classifies blocks; a block's answer is a function of the model and its arrays alone.

    Raises ModelFileError and DeviceError with a sentence for the map maker.
    """

    def __init__(self, job: ClassifyJob, reporter: Reporter) -> None:
        self._path = job.model
        model, self.header = load_model(job.model, job.digest)
        device = choose_device(job.device, reporter)
        self._device = describe(device)
        reporter.note("info", f"Classifying on {self._device}.")
        self._want_probabilities = job.probabilities
        self._reporter = reporter
        self._centres = [each.double().numpy() for each in model.centres]
        self._predictor = Predictor(model, device, reporter)
        settings = model.settings
        self._patch_size, self._stride = settings.patch_size, settings.stride
        self._weight = blend_weight(settings.patch_size, settings.stride)

    def run(self, block: Block) -> BlockDone:
        """Classifies a block and writes its results as .npy files."""
        self._reporter.progress("classify", 0.0, self._device)
        valid = np.load(block.valid)
        rasters = [np.load(path, mmap_mode="r") for path in block.modalities]
        blended = self._blend(block, rasters, valid)
        top, left = block.row - block.top, block.column - block.left
        inside = _padded(valid, top, left, block.height, block.width)
        confidence, classes = blended.max(dim=0)
        if not np.isfinite(confidence.numpy()[inside]).all():
            raise ModelFileError(f"The model file {self._path} gives no numbers here: its weights are damaged.")
        positions = np.where(inside, classes.numpy().astype(np.uint16), np.uint16(NO_CLASS))
        np.save(block.classes, positions)
        np.save(block.confidence, np.where(inside, confidence.clamp(0, 1).numpy(), np.float32(np.nan)))
        if self._want_probabilities:
            scaled = (blended.clamp(0, 1) * CERTAIN).round().numpy().astype(np.uint16)
            np.save(block.probabilities, np.where(inside, scaled, np.uint16(NO_CLASS)))
        return BlockDone(block.number, int(inside.sum()))

    def _blend(self, block: Block, rasters: list[np.ndarray], valid: np.ndarray) -> Tensor:
        """Class probabilities (K, h, w) of the block's rectangle."""
        size = self._patch_size
        corners = lattice_corners(block.row, block.column, block.height, block.width, size, self._stride)
        needed = [
            bool(_padded(valid, row - block.top, column - block.left, size, size).any()) for row, column in corners
        ]
        corners = corners[np.array(needed, dtype=bool)]

        def cut(some: np.ndarray) -> tuple[Tensor, Tensor]:
            places = [(int(row) - block.top, int(column) - block.left) for row, column in some]
            flags = torch.from_numpy(np.stack([_padded(valid, *place, size, size)[None] for place in places]))
            pixels = [
                to_float(np.stack([_padded(each, *place, size, size) for place in places]), centre)
                for each, centre in zip(rasters, self._centres, strict=True)
            ]
            device = self._predictor.device
            flags = flags.to(device)
            return self._predictor.model.scale([each.to(device) for each in pixels], flags), flags

        blended = torch.zeros(len(self.header.classes), block.height, block.width)
        done = 0
        for some, probabilities in self._predictor.batches(corners, cut):
            done += len(some)
            if done < len(corners):
                self._reporter.progress("classify", done / len(corners), self._device)
            for (row, column), answer in zip(some, probabilities, strict=True):
                above, before = max(0, block.row - row), max(0, block.column - column)
                below = min(size, block.row + block.height - row)
                behind = min(size, block.column + block.width - column)
                target = blended[
                    :,
                    row + above - block.row : row + below - block.row,
                    column + before - block.column : column + behind - block.column,
                ]
                target += answer[:, above:below, before:behind] * self._weight[above:below, before:behind]
        return blended


def _padded(array: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    """A rectangle of (..., h, w) that may reach beyond the array; zeros there."""
    inside = array[..., max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    if inside.shape[-2:] == (height, width):
        return inside
    result = np.zeros((*array.shape[:-2], height, width), array.dtype)
    first_row, first_column = max(0, -top), max(0, -left)
    result[..., first_row : first_row + inside.shape[-2], first_column : first_column + inside.shape[-1]] = inside
    return result
