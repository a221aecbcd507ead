"""Where to compute: the device that was asked for, or the best one that works."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

import torch

from ..job.reporter import Reporter
from ..shared.device_order import by_preference
from ..shared.events import DeviceInfo
from .kernels import first_trouble

_DRIVER_MARK = "/proc/driver/nvidia/version"


class DeviceError(ValueError):
    """The device that was asked for is not to be had; the text says what is."""


def choose_device(wish: str, reporter: Reporter) -> torch.device:
    """The device for a wish such as 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'.

    'auto' takes the GPU with most free memory that computes what the network needs, else the CPU. A GPU that fails,
    also one that was named, is left aside with a warning. Raises DeviceError for a wish that names none.
    """
    device = _chosen(wish.strip().lower() or "auto", reporter)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # Triton starts its kernels on the current device
    return device


def _chosen(wish: str, reporter: Reporter) -> torch.device:
    if wish == "cpu":
        return torch.device("cpu")
    if wish == "auto":
        return _best(reporter)
    device = _named(wish)
    reason = trouble(device)
    if reason:
        reporter.note("warning", f"Device {wish} does not work here ({reason}): computing on the CPU instead.")
        return torch.device("cpu")
    return device


def mixed_precision(device: torch.device) -> torch.autocast:
    """Where the network computes in bfloat16 what loses nothing by it: on CUDA cards that have it, else nowhere."""
    able = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast(device.type, torch.bfloat16, enabled=able)


def describe(device: torch.device) -> str:
    """The device in words, as the log shows it."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    if device.type != "cpu":
        return str(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'' if threads == 1 else 's'}"


def survey() -> tuple[DeviceInfo, ...]:
    """All devices that torch sees, the CPU first; nothing is computed on them."""
    found = [DeviceInfo("cpu", describe(torch.device("cpu")), 0, 0, "", "")]
    for number in range(torch.cuda.device_count()):
        found.append(_cuda_info(number))
    if torch.backends.mps.is_built():
        reason = "" if torch.backends.mps.is_available() else "this macOS or Mac does not support it"
        found.append(DeviceInfo("mps", "Apple GPU", 0, 0, "", reason))
    return tuple(found)


def no_build_for_card(capability: tuple[int, int], architectures: Sequence[str]) -> str:
    """Why torch's kernels do not fit a CUDA card; empty where they do.

    architectures  what torch was built for, as in torch.cuda.get_arch_list(): 'sm_86' runs on 8.6 to 8.9 ('sm_90a' on
    9.0 alone), 'compute_90' is translated for any later card.
    """
    numbers = {name: name.partition("_")[2] for name in architectures}
    plain = {name: divmod(int(number), 10) for name, number in numbers.items() if number.isdigit()}
    for name, (major, minor) in plain.items():
        if name.startswith("sm_") and major == capability[0] and minor <= capability[1]:
            return ""
        if name.startswith("compute_") and (major, minor) <= capability:
            return ""
    if not plain:  # a build that lists nothing, as for AMD cards: trying tells
        return ""
    first, last = (".".join(map(str, each)) for each in (min(plain.values()), max(plain.values())))
    is_old = capability < min(plain.values())
    state = "too old" if is_old else "too new" if capability > max(plain.values()) else "of another kind"
    return (
        f"the card has compute capability {capability[0]}.{capability[1]} and is {state} for this PyTorch, which is "
        f"built for {first} to {last}"
    )


def trouble(device: torch.device) -> str:
    """Why the network cannot run on the device; empty where it can."""
    if device.type == "cpu":
        return ""
    try:
        if device.type == "cuda":
            index = device.index if device.index is not None else torch.cuda.current_device()
            reason = no_build_for_card(torch.cuda.get_device_capability(index), torch.cuda.get_arch_list())
            if reason:
                return reason
            with torch.cuda.device(index):
                return first_trouble(device)
        return first_trouble(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        return (str(error).strip() or type(error).__name__).splitlines()[0]


def idle_card() -> str:
    """Why an NVIDIA card that is there stays idle because this torch cannot see it; empty where none does."""
    if torch.cuda.device_count() or not (os.path.exists(_DRIVER_MARK) or shutil.which("nvidia-smi")):
        return ""
    if torch.version.cuda is None:
        return "an NVIDIA card is there, but this PyTorch is a build for the CPU: run 'Install environment' again"
    return f"an NVIDIA card is there, but its driver is too old for CUDA {torch.version.cuda} or the card is hidden"


def _named(wish: str) -> torch.device:
    try:
        device = torch.device(wish)
    except RuntimeError as error:
        raise DeviceError(f"There is no device '{wish}': use auto, cpu, cuda, cuda:0 or mps.") from error
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"BDGF does not compute on '{wish}': use auto, cpu, cuda, cuda:0 or mps.")
    count = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= count:
        reason = idle_card()
        seen = f"torch sees {count} CUDA GPUs" + (f"; {reason}" if reason else "")
        raise DeviceError(f"Device '{wish}' is not there: {seen}. Use auto or cpu.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("Device 'mps' is not there: it needs a Mac with an Apple processor. Use auto or cpu.")
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def _best(reporter: Reporter) -> torch.device:
    for info in by_preference(survey()):
        device = torch.device(info.device)
        reason = info.trouble or trouble(device)
        if not reason:
            return device
        reporter.note("warning", f"{info.name} ({info.device}) is there but cannot be used: {reason}.")
    reason = idle_card()
    if reason:
        reporter.note("warning", f"Computing on the CPU: {reason}.")
    return torch.device("cpu")


def _cuda_info(number: int) -> DeviceInfo:
    device = f"cuda:{number}"
    try:
        name = torch.cuda.get_device_name(number)
        capability = torch.cuda.get_device_capability(number)
        reason = no_build_for_card(capability, torch.cuda.get_arch_list())
        if reason:  # a look at its memory would already start a context on it
            return DeviceInfo(device, name, 0, 0, ".".join(map(str, capability)), reason)
        free, total = torch.cuda.mem_get_info(number)
        return DeviceInfo(device, name, total, free, ".".join(map(str, capability)), "")
    except (RuntimeError, AssertionError) as error:
        return DeviceInfo(device, "NVIDIA GPU", 0, 0, "", str(error).splitlines()[0])
