"""A plain middle-fusion patch CNN, the third baseline.

Written from the description of the middle fusion network with convolutions in Hong et al. 2021, More Diverse Means
Better: Multimodal Deep Learning Meets Remote-Sensing Imagery Classification (IEEE TGRS 59, 4340-4354): each modality
has convolutions of its own on the patch around a pixel, their features are joined half way, further convolutions work
on both, and a softmax names the class of the patch's centre. Widths and the number of blocks are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH = 11
EPOCHS = 30
_BATCH = 64


def _block(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class MiddleFusion(nn.Module):
    """Logits (B, K) of patches (B, C, 11, 11), whose channels are those of the modalities one after another."""

    def __init__(self, channels: Sequence[int], classes: int) -> None:
        super().__init__()
        self.channels = list(channels)
        self.stems = nn.ModuleList(
            nn.Sequential(_block(count, 16, 3), _block(16, 32, 1), nn.MaxPool2d(2), _block(32, 64, 3))
            for count in channels
        )
        self.joint = nn.Sequential(
            _block(64 * len(self.channels), 128, 1), nn.MaxPool2d(2), _block(128, 128, 3), nn.AdaptiveAvgPool2d(1)
        )
        self.head = nn.Linear(128, classes)

    def forward(self, patches: Tensor) -> Tensor:
        """Join what the stems see."""
        parts = patches.split(self.channels, dim=1)
        joined = torch.cat([stem(part) for stem, part in zip(self.stems, parts, strict=True)], dim=1)
        return self.head(self.joint(joined).flatten(1))


@contextmanager
def _one_thread() -> Iterator[None]:
    """So small convolutions gain little from a second thread, and beside other work lose tenfold by it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class PatchClassifier:
    """The network with its data: a scene's arrays per modality (C, H, W), valid pixels (H, W)."""

    def __init__(self, arrays: Sequence[np.ndarray], valid: np.ndarray, classes: int, seed: int) -> None:
        torch.manual_seed(seed)
        self._random = np.random.default_rng(seed)
        cube = np.concatenate([_standardised(each, valid) for each in arrays])
        half = PATCH // 2
        self._cube = torch.from_numpy(np.pad(cube, ((0, 0), (half, half), (half, half)), mode="reflect"))
        self._network = MiddleFusion([len(each) for each in arrays], classes)

    @_one_thread()
    def fit(self, points: np.ndarray, classes: np.ndarray, epochs: int = EPOCHS) -> None:
        """Learn class positions (P,) of pixels (P, 2) as row and column; Adam, patches flipped and turned."""
        optimiser = torch.optim.Adam(self._network.parameters(), 1e-3)
        targets = torch.from_numpy(classes.astype(np.int64))
        self._network.train()
        for _ in range(epochs):
            for batch in np.array_split(self._random.permutation(len(points)), -(-len(points) // _BATCH)):
                if len(batch) < 2:  # nothing to normalise over
                    continue
                patches = torch.rot90(self._patches(points[batch]), int(self._random.integers(4)), (2, 3))
                patches = patches.flip(3) if self._random.integers(2) else patches
                loss = functional.cross_entropy(self._network(patches), targets[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()

    @_one_thread()
    @torch.inference_mode()
    def probabilities(self, points: np.ndarray) -> np.ndarray:
        """Class probabilities (P, K) of pixels (P, 2)."""
        self._network.eval()
        parts = np.array_split(points, max(1, len(points) // 1024))
        return np.concatenate([self._network(self._patches(each)).softmax(dim=1).numpy() for each in parts])

    def _patches(self, points: np.ndarray) -> Tensor:
        return torch.stack(
            [self._cube[:, row : row + PATCH, column : column + PATCH] for row, column in points.tolist()]
        )


def _standardised(array: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Mean 0 and deviation 1 over the valid pixels of each band; 0 where invalid."""
    values = array[:, valid].astype(np.float64)
    mean, deviation = values.mean(axis=1), values.std(axis=1)
    deviation[deviation == 0] = 1
    scaled = (array - mean[:, None, None]) / deviation[:, None, None]
    return np.where(valid, scaled, 0).astype(np.float32)
