"""Which environment variables a child process of ours inherits: one rule for the worker, uv and pip."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Optional

_NAMES = frozenset(
    # QGIS's own Python, libraries and data
    "VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX PROJ_LIB PROJ_DATA GDAL_DATA GDAL_DRIVER_PATH "
    # certificate bundles and encryption modules that QGIS's installers point to, and the file for a session's keys
    "SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE PROJ_CURL_CA_BUNDLE GDAL_CURL_CA_BUNDLE "
    "OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES SSLKEYLOGFILE "
    # what the C library loads or obeys besides LD_*: those that it ignores itself for programs with special rights
    "GCONV_PATH GETCONF_DIR GLIBC_TUNABLES LOCPATH NIS_PATH NLSPATH "
    # what shells run before anything else (packages that are built start some)
    "BASH_ENV ENV SHELLOPTS BASHOPTS PS4 "
    # libraries that CUDA, ROCm, OpenMP, OpenCL, oneAPI and Triton load for tools that watch, and programs they start
    "CUDA_INJECTION32_PATH CUDA_INJECTION64_PATH NVTX_INJECTION32_PATH NVTX_INJECTION64_PATH "
    "HSA_TOOLS_LIB ROCP_TOOL_LIB OMP_TOOL OMP_TOOL_LIBRARIES OMP_TOOL_VERBOSE_INIT ACC_PROFLIB "
    "OPENCL_VENDOR_PATH OCL_ICD_VENDORS OCL_ICD_FILENAMES ZE_ENABLE_ALT_DRIVERS DNNL_JIT_DUMP "
    "TRITON_LIBCUDA_PATH TRITON_LIBDEVICE_PATH TRITON_PTXAS_PATH TRITON_CUOBJDUMP_PATH TRITON_NVDISASM_PATH".split()
)
_PREFIXES = (
    "PYTHON",  # what Python finds, runs at its start (STARTUP, BREAKPOINT), inspects, traces or caches
    "LD_",  # of the dynamic linker: AUDIT and PRELOAD load code, DEBUG_OUTPUT and PROFILE write files
    "DYLD_",  # the same of macOS
    "MALLOC",  # of the C library's allocator: tracing to files, checking, filling
    "INTEL_LIBITTNOTIFY",  # libraries for profilers, which torch loads
    "INTEL_JIT_PROFILER",
    "KINETO_",  # of torch's own profiler
    "BASH_FUNC_",  # functions that a shell takes over
    "QGIS_",
)


def is_foreign(name: str) -> bool:
    """Whether a variable would lead a child to libraries, code or data that are not its own."""
    upper = name.upper()
    return upper in _NAMES or upper.startswith(_PREFIXES)


def child_variables(environ: Optional[Mapping[str, str]] = None, platform: str = sys.platform) -> dict[str, str]:
    """The variables of a child process: the user's paths, proxies, threads, cards and settings of uv and pip.

    Threads of the worker that wait for each other soon sleep instead of spinning on: beside other work, as QGIS
    drawing, spinning made a training on two cores seven times slower (docs/performance.md). Who set it is obeyed.
    """
    source = os.environ if environ is None else environ
    kept = {"GOMP_SPINCOUNT": "10000", **{name: value for name, value in source.items() if not is_foreign(name)}}
    if platform == "win32":
        homes = [source[name] for name in ("OSGEO4W_ROOT", "QGIS_PREFIX_PATH") if source.get(name)]
        for name in kept:
            if name.upper() == "PATH":
                kept[name] = ";".join(each for each in kept[name].split(";") if not _lies_in(each, homes))
    return kept


def _lies_in(folder: str, homes: list[str]) -> bool:
    """Whether a Windows folder lies in one of `homes`: its DLLs would be loaded instead of torch's."""

    def plain(path: str) -> str:
        return path.replace("/", "\\").rstrip("\\").lower() + "\\"

    return any(plain(folder).startswith(plain(home)) for home in homes)
