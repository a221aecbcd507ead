"""Sorts what went wrong in a job into the reasons that a map maker can act on."""

from __future__ import annotations

import errno
import sys

from ..shared.events import Failed

_MEMORY_WORDS = ("out of memory", "not enough memory", "allocate memory", "status_alloc_failed")
_DEVICE_WORDS = ("cuda error", "cuda driver", "cudnn", "cublas_status", "hip error", "mps backend", "triton error")


def failure_of(error: BaseException) -> Failed:
    """Tell QGIS about `error`.

    Exceptions of classes of our own are written for the map maker: ValueErrors are of the input, MemoryErrors of the
    memory. Everything else gets a sentence here.
    """
    text = str(error).strip() or type(error).__name__
    first_line = text.splitlines()[0].rstrip(".")
    ours = type(error).__module__.startswith(f"{__package__.rpartition('.')[0]}.")
    if ours and isinstance(error, ValueError):
        return Failed("input", text)
    if ours and isinstance(error, MemoryError):
        return Failed("memory", text)
    if is_out_of_memory(error):
        return Failed(
            "memory",
            f"Memory ran out ({first_line}). Close other programs, choose a smaller preset, or set DEVICE to cpu.",
        )
    if isinstance(error, RuntimeError) and any(word in text.lower() for word in _DEVICE_WORDS):
        return Failed("device", f"The graphics card failed ({first_line}). Run again, or set DEVICE to cpu.")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return Failed("input", "The disk is full: make room where temporary files and results are written.")
    if isinstance(error, OSError) and error.filename is not None:
        return Failed("input", f"{error.filename} cannot be read or written: {error.strerror}.")
    return Failed("internal", f"An unexpected error stopped BDGF ({type(error).__name__}: {first_line}).")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on a GPU or the CPU; torch says it in many ways."""
    text = str(error).lower()
    torch = sys.modules.get("torch")
    torch_error = getattr(torch, "OutOfMemoryError", None)
    if isinstance(error, MemoryError) or (torch_error is not None and isinstance(error, torch_error)):
        return True
    return isinstance(error, RuntimeError) and any(word in text for word in _MEMORY_WORDS)
