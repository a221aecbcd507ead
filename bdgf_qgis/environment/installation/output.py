"""Reads what uv and pip print: how far they are, and why they failed."""

from __future__ import annotations

import re
from collections.abc import Sequence

_UNITS = {"B": 1, "KIB": 1024, "MIB": 1024**2, "GIB": 1024**3, "KB": 1000, "MB": 1000**2, "GB": 1000**3}
_UV_BEGINS = re.compile(r"^Downloading ([\w.-]+) \(([\d.]+)\s?(\w+)\)")
_UV_ENDS = re.compile(r"^ *Downloaded ([\w.-]+)")
_UV_PHASE = re.compile(r"^(Resolved|Prepared|Installed) (\d+) packages?")
_UV_BUILD = re.compile(r"^ *(?:Building|Built) ([\w.-]+)")
_PIP_BEGINS = re.compile(r"^ *(?:Downloading|Using cached) ([\w.]+?)-[\d][^ ]*(?: \(([\d.]+)\s?(\w+)\))?")
_PIP_INSTALLS = re.compile(r"^Installing collected packages: (.*)")


class PackageProgress:
    """How far a command has come, 0..1, and what it does: fed with its lines, one after another."""

    def __init__(self) -> None:
        self.fraction = 0.0
        self.text = ""
        self._sizes: dict[str, float] = {}
        self._done: set[str] = set()

    def feed(self, line: str) -> None:
        """Take in a line. The fraction never falls."""
        if found := _UV_BEGINS.match(line) or _PIP_BEGINS.match(line):
            name, number, unit = found.groups()
            if _PIP_BEGINS.match(line) and not _UV_BEGINS.match(line):
                self._done.update(self._sizes)  # pip fetches one at a time, and says so at the beginning
            self._sizes[name] = float(number or 1) * _UNITS.get((unit or "MB").upper(), 1)
            self._show()
        elif found := _UV_ENDS.match(line):
            self._done.add(found.group(1))
            self._show()
        elif found := _UV_BUILD.match(line):
            self.text = f"building {found.group(1)}"
        elif found := _UV_PHASE.match(line):
            phase, count = found.groups()
            self._rise({"Resolved": 0.05, "Prepared": 0.8, "Installed": 1.0}[phase])
            self.text = {"Resolved": f"{count} packages", "Prepared": f"unpacking {count} packages"}.get(phase, "done")
        elif found := _PIP_INSTALLS.match(line):
            self._rise(0.8)
            self.text = f"unpacking {found.group(1).count(',') + 1} packages"

    def _show(self) -> None:
        whole = sum(self._sizes.values())
        done = sum(size for name, size in self._sizes.items() if name in self._done)
        self._rise(0.05 + 0.75 * done / whole if whole else 0.05)
        left = [name for name in self._sizes if name not in self._done]
        largest = max(left, key=lambda name: self._sizes[name], default="")
        self.text = f"{largest} ({_readable(self._sizes[largest])}), {len(left)} to go" if largest else "unpacking"

    def _rise(self, fraction: float) -> None:
        self.fraction = max(self.fraction, min(fraction, 1.0))


def _readable(size: float) -> str:
    return f"{size / 1024**3:.1f} GiB" if size >= 1024**3 else f"{size / 1024**2:.0f} MiB"


_DISK = (
    "no space left",
    "os error 28)",
    "file too large",
    "os error 27)",
    "os error 112)",
    "not enough space on the disk",
    "disk quota exceeded",
    "sigxfsz",
)
_CERTIFICATE = ("certificate verify failed", "invalid peer certificate", "unknownissuer", "self-signed certificate")
_PROXY = ("407 proxy authentication", "proxy authentication required", "proxyerror", "cannot connect to proxy")
_HASH = ("do not match the hashes", "hash mismatch")
_NETWORK = (
    "dns error",
    "failed to lookup",
    "error sending request",
    "failed to fetch",
    "failed to download",
    "connection refused",
    "newconnectionerror",
    "network is unreachable",
    "temporary failure in name resolution",
    "timed out",
    "connection reset",
    "name or service not known",
    "network connectivity is disabled",
    "from versions: none",
)
_NO_BUILD = ("no solution found", "no matching distribution", "no wheels", "no interpreter found")


def explanation(lines: Sequence[str], status: str) -> str:
    """Why a command failed and what to do, in a sentence or two, from its last lines and how it ended."""
    text = "\n".join([*lines, status]).lower()

    def says(words: Sequence[str]) -> bool:
        return any(word in text for word in words)

    if says(_DISK):
        return "the disk is full (or a limit on file sizes is reached). Make room and run it again."
    if says(_CERTIFICATE):
        return (
            "a server's certificate is not trusted here. If your organisation inspects traffic, add its authority in "
            "QGIS (Options, Authentication, Manage Certificates) and run it again."
        )
    if says(_PROXY):
        return "the proxy refused. Check the proxy in QGIS (Options, Network) and run it again."
    if says(_HASH):
        return (
            "what was fetched is not what this plugin expects and was thrown away. Run it again from another network."
        )
    if says(_NETWORK):
        return (
            "the packages could not be fetched: there is no connection to the package index. Check the network and "
            "QGIS's proxy (Options, Network) and run it again; it goes on where it stopped. Without internet, set "
            "bdgf/index or bdgf/links to your own package index or folder, or name a Python that has torch in the BDGF "
            "options."
        )
    if says(_NO_BUILD):
        return "there is no build of these packages for this computer and Python."
    return f"{status}."
