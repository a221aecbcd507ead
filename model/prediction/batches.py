"""Patches through the network, a batch at a time: every core busy, and short memory survived."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
import torch
from torch import Tensor

from ..bdgf import BDGF
from ..device.choice import describe, mixed_precision
from ..job.failures import is_out_of_memory
from ..job.reporter import Reporter

MOST_STREAMS = 8  # batches at a time on the CPU: more cores than that share the work within a batch
MOST_PATCHES = 256  # in a batch on a GPU: a larger one is no faster
_SHARE = 0.7  # of a GPU's free memory that batches may take

Cut = Callable[[np.ndarray], tuple[Tensor, Tensor]]
Ask = Callable[[Tensor, Tensor, Tensor], Tensor]


class OutOfMemory(MemoryError):
    """Not even a single patch fits into the device's memory."""


class Predictor:
    """Runs a model on batches of patches, all of one size, so that a patch's answer cannot hang on its company.

    On the CPU each core computes a batch of its own: cores that share a batch wait for each other after every layer,
    and for long where QGIS needs one of them. A GPU computes one batch while another is put together. Where memory
    runs out the batch is halved, for good.

    Args:
        model: the model, which is moved to the device.
        device: where to compute.
        reporter: hears of halved batches, and stops a cancelled run.
        ask: what is asked of the model, with the arguments and the shape of answer of its call; by default that.
    """

    def __init__(self, model: BDGF, device: torch.device, reporter: Reporter, ask: Ask | None = None) -> None:
        self.model = model.to(device).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.device = device
        self._ask = ask or self.model
        self.batch = model.settings.inference_batch
        threads = torch.get_num_threads()
        self.streams = min(threads, MOST_STREAMS) if device.type == "cpu" else 2 if device.type == "cuda" else 1
        self._pool = ThreadPoolExecutor(
            self.streams, "bdgf-predict", _open_stream, (device, max(1, threads // self.streams))
        )
        self._reporter = reporter
        self._measured = device.type != "cuda"

    def batches(self, corners: np.ndarray, cut: Cut) -> Iterator[tuple[np.ndarray, Tensor]]:
        """Corners (b, 2) and class probabilities (b, K, H, W) on the CPU, batch by batch, in order.

        Args:
            corners: (N, 2) grid positions of the patches.
            cut: gives channels (b, D, H, W) and valid pixels (b, 1, H, W) at some corners; called in several threads.
        """
        if len(corners) and not self._measured:
            self._measure(corners[:1], cut)
        under_way: deque[tuple[np.ndarray, Future[Tensor]]] = deque()
        first = 0
        try:
            while first < len(corners) or under_way:
                while first < len(corners) and len(under_way) <= self.streams:
                    some = corners[first : first + self.batch]
                    under_way.append((some, self._pool.submit(self._compute, some, self.batch, cut)))
                    first += len(some)
                self._reporter.check()
                some, answer = under_way[0]
                try:
                    probabilities = answer.result()
                except (RuntimeError, MemoryError) as error:
                    first -= sum(len(each) for each, _ in under_way)
                    _drop(under_way)
                    self._halve(error)
                    continue
                under_way.popleft()
                yield some, probabilities
        finally:
            _drop(under_way)

    def _compute(self, some: np.ndarray, batch: int, cut: Cut) -> Tensor:
        with torch.inference_mode():
            return self._predict(*cut(some), some, batch)

    def _predict(self, inputs: Tensor, valid: Tensor, corners: np.ndarray, batch: int) -> Tensor:
        count, missing = len(inputs), batch - len(inputs)
        if missing:
            inputs = torch.cat([inputs, inputs.new_zeros(missing, *inputs.shape[1:])])
            valid = torch.cat([valid, valid.new_zeros(missing, *valid.shape[1:])])
            corners = np.concatenate([corners, np.zeros((missing, 2), corners.dtype)])
        inputs = inputs.to(self.device).contiguous(memory_format=torch.channels_last)
        where = torch.from_numpy(corners).to(self.device)
        with mixed_precision(self.device):
            probabilities = self._ask(inputs, valid.to(self.device), where)
        return probabilities[:count].float().cpu()

    def _measure(self, corners: np.ndarray, cut: Cut) -> None:
        """Sizes the batch by the free memory of the GPU and what a patch takes of it."""
        self._measured = True
        try:
            for _ in range(2):  # the first run also loads kernels, which stay
                torch.cuda.reset_peak_memory_stats(self.device)
                before = torch.cuda.memory_allocated(self.device)
                self._compute(corners, 1, cut)
            each = torch.cuda.max_memory_allocated(self.device) - before
            torch.cuda.empty_cache()
            free, _ = torch.cuda.mem_get_info(self.device)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self.batch = 1
        else:
            self.batch = patches_that_fit(free // self.streams, each)

    def _halve(self, error: RuntimeError | MemoryError) -> None:
        if not is_out_of_memory(error):
            raise error
        if self.batch > 1:
            self.batch //= 2
        elif self.streams > 1:
            self.streams = 1
        else:
            raise OutOfMemory(
                f"The memory of {describe(self.device)} does not suffice for a single patch. "
                "Close other programs that use it, or choose the device 'cpu'."
            ) from error
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self._reporter.note("info", f"Memory ran short: going on with {self.batch} patches at a time.")


def patches_that_fit(free: int, each: int) -> int:
    """Patches in a batch, a power of two from 1 to MOST_PATCHES: `each` takes so many of the `free` bytes."""
    fitting = int(free * _SHARE) // max(1, each)
    return 1 << max(0, min(fitting, MOST_PATCHES).bit_length() - 1)


def _open_stream(device: torch.device, threads: int) -> None:
    """How many cores a thread computes with, and on which GPU, are matters of the thread."""
    if device.type == "cpu":
        torch.set_num_threads(threads)
    elif device.type == "cuda":
        torch.cuda.set_device(device)


def _drop(under_way: deque[tuple[np.ndarray, Future[Tensor]]]) -> None:
    """Forgets batches; on return none is being computed, so that their arrays can be closed."""
    futures = [each for _, each in under_way]
    under_way.clear()
    for each in futures:
        each.cancel()
    wait(futures)
