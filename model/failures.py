"""Sorts what went wrong in a job into the reasons that a map maker can act on."""

from __future__ import annotations

import errno
import sys

from .errors import InputError
from .header import ModelFileError
from .messages import Failed

_MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
_DEVICE_WORDS = ("CUDA error", "CUDA driver", "cuDNN error", "CUBLAS_STATUS", "HIP error", "MPS backend", "no NVIDIA")


def failure_of(error: BaseException) -> Failed:
    """The event that tells QGIS about `error`."""
    text = str(error) or type(error).__name__
    first_line = text.strip().splitlines()[0]
    if isinstance(error, (InputError, ModelFileError)):
        return Failed("input", text)
    if _is_memory(error, text):
        return Failed(
            "memory",
            f"Memory ran out ({first_line}). Close other programs, choose a smaller preset, or set DEVICE to cpu.",
        )
    if any(word.lower() in text.lower() for word in _DEVICE_WORDS):
        return Failed("device", f"The graphics card failed ({first_line}). Run again, or set DEVICE to cpu.")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return Failed("input", "The disk is full: make room where temporary files and results are written.")
    if isinstance(error, OSError) and error.filename is not None:
        return Failed("input", f"{error.filename} cannot be read or written: {error.strerror}.")
    return Failed("internal", f"An unexpected error stopped BDGF ({type(error).__name__}: {first_line}).")


def _is_memory(error: BaseException, text: str) -> bool:
    torch = sys.modules.get("torch")
    torch_error = getattr(torch, "OutOfMemoryError", None)
    if isinstance(error, MemoryError) or (torch_error is not None and isinstance(error, torch_error)):
        return True
    return isinstance(error, RuntimeError) and any(word.lower() in text.lower() for word in _MEMORY_WORDS)
