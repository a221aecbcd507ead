"""The order in which GPUs are preferred: for the worker, which takes one, and for the check, which says which."""

from __future__ import annotations

from collections.abc import Sequence

from .events import DeviceInfo


def by_preference(devices: Sequence[DeviceInfo]) -> list[DeviceInfo]:
    """GPUs in the order in which 'auto' tries them: CUDA by free memory, then Apple's."""
    gpus = [info for info in devices if info.device != "cpu"]
    return sorted(gpus, key=lambda info: (info.device == "mps", -info.free, info.device))
