"""Facts about this computer on which the installation decides. The decisions are functions of these facts alone."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class System:
    """A computer with QGIS.

    platform     sys.platform: 'linux', 'win32', 'darwin'
    machine      'x86_64', 'AMD64', 'arm64', ...
    prefixes     sys.prefix and its kin of QGIS's Python
    version      of QGIS's Python
    application  folder of the QGIS program
    osgeo4w      OSGEO4W_ROOT, or ''
    nvidia       whether an NVIDIA driver is installed
    """

    platform: str
    machine: str
    prefixes: tuple[str, ...]
    version: tuple[int, int]
    application: str = ""
    osgeo4w: str = ""
    nvidia: bool = False

    def gets_cuda(self, torch_backend: str) -> bool:
        """Whether a build of PyTorch, named as in Options, is one for NVIDIA cards here."""
        return torch_backend.startswith("cu") or (torch_backend in ("auto", "none") and self.nvidia)


def this_system(application: str = "", environ: Optional[Mapping[str, str]] = None) -> System:
    """The facts of this computer; starts nothing. `application` is the folder of the QGIS program."""
    environ = os.environ if environ is None else environ
    prefixes = dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix))
    return System(
        sys.platform,
        platform.machine(),
        tuple(prefixes),
        sys.version_info[:2],
        application,
        environ.get("OSGEO4W_ROOT", ""),
        has_nvidia_driver(environ),
    )


def has_nvidia_driver(environ: Mapping[str, str]) -> bool:
    """Whether the driver left one of its marks."""
    windows = os.path.join(environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "nvidia-smi.exe")
    marks = (windows,) if sys.platform == "win32" else ("/proc/driver/nvidia/version", "/dev/nvidiactl")
    return any(os.path.exists(each) for each in marks) or shutil.which("nvidia-smi") is not None


def no_build_for(system: System) -> str:
    """Why PyTorch cannot be had for this computer at all; empty where it can."""
    machine = system.machine.lower()
    if system.platform == "darwin" and machine in ("x86_64", "amd64"):
        return (
            "PyTorch is no longer built for Macs with an Intel processor. Train and classify on another computer; "
            "drawing training polygons and assessing maps work here."
        )
    if machine in ("i386", "i586", "i686", "x86", "armv7l", "armv6l"):
        return f"PyTorch is not built for 32-bit processors ({system.machine}): use a 64-bit computer and QGIS."
    return ""
