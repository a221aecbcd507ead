"""What the worker's Python is, what it sees, and whether the network's computations come out right on a device."""

from __future__ import annotations

import contextlib
import platform
import shutil
import subprocess
from importlib import metadata

import torch

from ..job.reporter import Reporter
from ..shared.events import Checked, KernelCheck, PackageInfo
from ..shared.jobs import CheckJob
from .choice import survey
from .kernels import kernels, try_kernel

PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "safetensors", "mamba-ssm", "triton")


def check(job: CheckJob, reporter: Reporter) -> Checked:
    """Look around, and try each computation on the device that was asked for."""
    reporter.progress("check", 0.0, "packages and devices")
    driver, cards = nvidia_driver()
    results: list[KernelCheck] = []
    if job.device:
        device = torch.device(job.device)
        todo = kernels(device)
        for number, kernel in enumerate(todo):
            reporter.check()
            reporter.progress("check", number / len(todo), f"{kernel.name} on {job.device}")
            context = torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext()
            try:
                with context, torch.inference_mode():
                    results.append(try_kernel(kernel, device))
            except (RuntimeError, AssertionError) as error:  # the device cannot even be chosen
                results.append(KernelCheck(kernel.name, -1.0, 0.0, str(error).splitlines()[0][:300], kernel.needed))
    return Checked(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}, {platform.machine()}",
        torch=torch.__version__,
        build=build(),
        driver=driver,
        cards=cards,
        threads=torch.get_num_threads(),
        packages=tuple(PackageInfo(name, _version(name)) for name in PACKAGES),
        devices=survey(),
        kernels=tuple(results),
    )


def build() -> str:
    """What this torch was built for."""
    if torch.version.cuda:
        return f"CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version() or 'none'}"
    hip = getattr(torch.version, "hip", None)
    if hip:
        return f"ROCm {hip}"
    return "CPU and Apple GPU" if torch.backends.mps.is_built() else "CPU only"


def nvidia_driver() -> tuple[str, tuple[str, ...]]:
    """Version of the NVIDIA driver and the names of its cards; '' and none where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "", ()
    try:
        done = subprocess.run(
            [tool, "--query-gpu=driver_version,name", "--format=csv,noheader"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=15,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", ()
    return driver_of(done.stdout.decode("utf-8", "replace")) if done.returncode == 0 else ("", ())


def driver_of(listing: str) -> tuple[str, tuple[str, ...]]:
    """Version and card names from lines of 'version, name'."""
    rows = [line.split(",", 1) for line in listing.splitlines() if "," in line]
    return (rows[0][0].strip() if rows else ""), tuple(name.strip() for _, name in rows)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
