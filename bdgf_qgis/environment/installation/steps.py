"""The steps of an installation as plain data, so that they can be read, shown and tested without running any."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..managed import python_inside
from .options import Options
from .pins import ENVIRONMENT, PYTHON, SCAN, SCAN_TOOLS, TORCH, UV
from .system import System

WHOLE = 100.0
_BY_HASH = ("--require-hashes", "--no-deps")  # only files whose hash is known, and nothing that is not listed


@dataclass(frozen=True)
class Step:
    """One command.

    title  what it does, for the progress text
    share  of the whole, in percent
    extra  variables on top of the others
    """

    title: str
    command: tuple[str, ...]
    share: float
    extra: tuple[tuple[str, str], ...] = ()


def fetch_uv(python: str, folder: Path) -> Step:
    """Fetch the pinned uv with pip; only files whose hash is known are taken."""
    pip = (python, "-I", "-X", "utf8", "-m", "pip", "install", *_BY_HASH, "--only-binary=:all:")
    return Step("Fetching uv", (*pip, "--progress-bar=off", f"--target={folder}", "-r", str(UV)), 4)


def fetch_python(uv: str) -> Step:
    """Fetch a Python of the environment's own."""
    return Step(f"Fetching Python {PYTHON}", (uv, "python", "install", PYTHON, "--no-bin", "--no-registry"), 8)


def make_environment(uv: str, folder: Path, base: str) -> Step:
    """Make the environment on the Python `base`, or on the one that uv fetched where it is empty."""
    python = (base, "--no-managed-python") if base else (PYTHON, "--managed-python")
    command = (uv, "venv", "--no-project", "--no-python-downloads", "--python", *python, str(folder))
    return Step("Making the environment", command, 2)


def install_packages(uv: str, folder: Path, options: Options) -> tuple[Step, ...]:
    """Install what PyTorch and the worker need, by hash, and then PyTorch."""
    alone = ("--no-index",) if options.links_alone else ()
    install = (uv, "pip", "install", "--python", str(python_inside(folder)), *alone)
    torch = [*install, "-r", str(TORCH)]
    if options.torch_backend not in ("", "none") and not options.links_alone:  # a build means an index of its own
        torch.append(f"--torch-backend={options.torch_backend}")
    return (
        Step("Installing packages", (*install, *_BY_HASH, "-r", str(ENVIRONMENT)), 8),
        Step("Installing PyTorch", tuple(torch), 62),
    )


def install_scan_kernel(uv: str, folder: Path) -> tuple[Step, ...]:
    """mamba-ssm's Triton kernels, by hash, without its own CUDA code and without what it needs for language models."""
    install = (uv, "pip", "install", "--python", str(python_inside(folder)), *_BY_HASH)
    build = (*install, "--no-build-isolation", "-r", str(SCAN))
    title = "Installing the fast scan for NVIDIA cards (optional)"
    return (
        Step(title, (*install, "-r", str(SCAN_TOOLS)), 1),
        Step(title, build, 4, (("MAMBA_SKIP_CUDA_BUILD", "TRUE"), ("MAMBA_FORCE_BUILD", "TRUE"))),
    )


def with_plain_pip(python: str, folder: Path) -> tuple[Step, ...]:
    """Without uv: an environment of the standard library's making, and pip inside it."""
    inside = str(python_inside(folder))
    install = (inside, "-I", "-X", "utf8", "-m", "pip", "install", "--progress-bar=off")
    return (
        Step("Making the environment", (python, "-I", "-X", "utf8", "-m", "venv", str(folder)), 6),
        Step("Installing packages", (*install, *_BY_HASH, "-r", str(ENVIRONMENT)), 12),
        Step("Installing PyTorch", (*install, "-r", str(TORCH)), 64),
    )


def wants_scan_kernel(system: System, options: Options) -> bool:
    """Linux with an NVIDIA card, unless another build of PyTorch was asked for."""
    return system.platform == "linux" and system.nvidia and system.gets_cuda(options.torch_backend)


def shares(steps: tuple[Step, ...], rest: float) -> list[tuple[float, float]]:
    """Begin and end of each step between 0 and `WHOLE` - `rest` percent, as fractions of 1."""
    total = sum(step.share for step in steps) or 1.0
    scale = (WHOLE - rest) / WHOLE / total
    result, begin = [], 0.0
    for step in steps:
        result.append((begin, begin + step.share * scale))
        begin += step.share * scale
    return result
