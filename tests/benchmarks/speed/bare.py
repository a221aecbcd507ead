"""The network alone, on arrays in memory: dense patches, a patch for every pixel, and the roof that conv sets.

Run as a process of its own, so that its memory and threads are its own: `bare MODEL DEVICE SIDE SECONDS`.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bdgf.model.bdgf import load_model
from bdgf.model.device.choice import choose_device
from bdgf.model.job.reporter import Reporter
from bdgf.model.prediction.batches import Predictor
from bdgf.model.prediction.lattice import lattice_corners
from bdgf.tests.benchmarks.speed.scene import pixels

PATCH = 12  # side of the patch of which the centre is classified: as small as the U-Net's three levels allow
_DENSE_BATCHES, _PATCH_BATCHES = (4, 8, 16), (32, 128)


class Bare:
    """A model and a scene, both in memory."""

    def __init__(self, path: str, device: str, side: int, seconds: float) -> None:
        reporter = Reporter(lambda event: None, lambda: False)
        self.model, _ = load_model(path)
        self.device = choose_device(device, reporter)
        self.predictor = Predictor(self.model, self.device, reporter)
        self._seconds, self._side = seconds, side
        settings = self.model.settings
        self._edge = settings.patch_size
        raster = torch.from_numpy(pixels(0, side, side).astype(np.float32))[None]
        with torch.inference_mode():
            channels = self.model.cpu().scale([raster], torch.ones(1, 1, side, side, dtype=torch.bool))[0]
        self.model.to(self.device)
        self._channels = torch.nn.functional.pad(channels, (self._edge,) * 4)

    def dense(self) -> dict[int, float]:
        """Pixels a second by batch, patches on the lattice as in a map."""
        settings = self.model.settings
        corners = lattice_corners(0, 0, self._side, self._side, settings.patch_size, settings.stride)
        share = self._side**2 / len(corners)  # pixels of the map that a patch brings
        own = self.predictor.batch if self.device.type == "cuda" else settings.inference_batch
        batches = sorted({*_DENSE_BATCHES, own})
        return {each: share * self._patches_a_second(corners, settings.patch_size, each) for each in batches}

    def patches(self) -> dict[int, float]:
        """Pixels a second by batch, where each pixel needs a patch of its own."""
        corners = np.random.default_rng(0).integers(0, self._side - PATCH, (20_000, 2))
        return {each: self._patches_a_second(corners, PATCH, each) for each in _PATCH_BATCHES}

    def _patches_a_second(self, corners: np.ndarray, patch_size: int, batch: int) -> float:
        def cut(some: np.ndarray) -> tuple[Tensor, Tensor]:
            parts = [
                self._channels[:, row : row + patch_size, column : column + patch_size]
                for row, column in (some + self._edge).tolist()
            ]
            return torch.stack(parts), torch.ones(len(some), 1, patch_size, patch_size, dtype=torch.bool)

        self.predictor.batch = batch
        predict = self.predictor.batches
        for _ in predict(corners[: batch * self.predictor.streams], cut):
            pass
        done, began = 0, time.perf_counter()
        for some, _ in predict(np.tile(corners, (1 + 1_000_000 // len(corners), 1)), cut):
            done += len(some)
            took = time.perf_counter() - began
            if took >= self._seconds:
                break
        return done / took

    def work(self) -> dict[str, float]:
        """Operations per pixel of the map, by part of the network: multiplications and additions each count one."""
        model, settings = self.model, self.model.settings
        assert model.classifier is not None
        side = settings.patch_size
        inputs = torch.zeros(1, sum(model.groups) + model.bands, side, side, device=self.device)
        valid = torch.ones(1, 1, side, side, dtype=torch.bool, device=self.device)
        corners = torch.zeros(1, 2, dtype=torch.long, device=self.device)
        with torch.inference_mode(), FlopCounterMode(display=False, depth=4) as counter:
            model(inputs, valid, corners)
        counts = counter.get_flop_counts()
        names = {"diffusion features": "BDGF.features"}
        names |= {f"{each} branch": f"BDGF.classifier.branches.{each}" for each in model.classifier.branches}
        names |= {each.replace("_", " "): f"BDGF.classifier.probes.{each}" for each in model.classifier.probes}
        found = {title: float(sum(counts.get(name, {}).values())) for title, name in names.items()}
        found["whole"] = float(counter.get_total_flops())
        return {name: value / settings.stride**2 for name, value in found.items()}


def roof(device: torch.device, seconds: float) -> float:
    """Operations a second of a 3 x 3 convolution of 32 channels, the network's main work: the measured roof.

    As the network runs it: bfloat16 on a GPU, and on the CPU with all cores at one convolution.
    """
    kind = torch.bfloat16 if device.type == "cuda" else torch.float32
    layout = {"memory_format": torch.channels_last}
    image = torch.randn(32, 32, 64, 64, device=device, dtype=kind).contiguous(**layout)  # type: ignore[call-overload]
    weight = torch.randn(32, 32, 3, 3, device=device, dtype=kind).contiguous(**layout)  # type: ignore[call-overload]
    cost = 2 * image.numel() * 32 * 9

    def run() -> None:
        torch.nn.functional.conv2d(image, weight, padding=1)

    with torch.inference_mode():
        return cost * _times_a_second(run, device, seconds)


def _times_a_second(run: Callable[[], None], device: torch.device, seconds: float) -> float:
    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    run()
    wait()
    done, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        run()
        wait()
        done += 1
    return done / took


def measure(model: str, device: str, side: int, seconds: float) -> dict[str, Any]:
    """Everything of one model on one device."""
    bare = Bare(model, device, side, seconds)
    roofs = [roof(bare.device, seconds / 4)]
    dense = bare.dense()
    roofs.append(roof(bare.device, seconds / 4))
    return {
        "device": _name(bare.device),
        "torch": torch.__version__,
        "dense": dense,
        "patches": bare.patches(),
        "work": bare.work(),
        "roof": max(roofs),
    }


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = platform.processor() or platform.machine()
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), name)
    return f"{name}, {torch.get_num_threads()} cores"


def main(arguments: Sequence[str]) -> None:
    """Prints what was measured as JSON."""
    model, device, side, seconds = arguments
    print(json.dumps(measure(model, device, int(side), float(seconds))))


if __name__ == "__main__":
    main(sys.argv[1:])
