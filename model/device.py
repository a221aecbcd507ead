"""Where to compute: the device that was asked for, or the best one that works."""

from __future__ import annotations

import torch

from .reporter import Reporter


class DeviceError(ValueError):
    """The device that was asked for is not to be had; the text says what is."""


def choose_device(wish: str, reporter: Reporter) -> torch.device:
    """The device for a wish such as 'auto', 'cpu', 'cuda' or 'cuda:1'; 'auto' takes the GPU with most free memory.

    A GPU that fails a small computation is left aside with a warning. Raises DeviceError for a wish that names none.
    """
    wish = wish.strip().lower() or "auto"
    if wish == "cpu":
        return torch.device("cpu")
    if wish == "auto":
        return _best(reporter)
    try:
        device = torch.device(wish)
    except RuntimeError as error:
        raise DeviceError(f"There is no device '{wish}': use auto, cpu, cuda or cuda:0.") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise DeviceError(f"Device '{wish}' is not there: torch sees {count} CUDA GPUs. Use auto or cpu.")
    reason = _trouble(device)
    if reason:
        reporter.note("warning", f"Device {wish} does not work here ({reason}): computing on the CPU instead.")
        return torch.device("cpu")
    return device


def describe(device: torch.device) -> str:
    """The device in words, as the log shows it."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    return f"CPU, {torch.get_num_threads()} threads" if device.type == "cpu" else str(device)


def _best(reporter: Reporter) -> torch.device:
    free = {number: torch.cuda.mem_get_info(number)[0] for number in range(torch.cuda.device_count())}
    for number in sorted(free, key=lambda each: -free[each]):
        device = torch.device("cuda", number)
        reason = _trouble(device)
        if not reason:
            return device
        reporter.note("warning", f"GPU {number} is there but cannot be used ({reason}).")
    return torch.device("cpu")


def _trouble(device: torch.device) -> str:
    """Why the device cannot run a small convolution; empty where it can."""
    try:
        image, kernel = torch.ones(1, 1, 4, 4, device=device), torch.ones(1, 1, 3, 3, device=device)
        result = torch.nn.functional.conv2d(image, kernel)
        return "" if result.sum().item() == 36 else "a test computation gave a wrong result"
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        return str(error).splitlines()[0]
