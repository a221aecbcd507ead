"""The package versions of the managed environment, and a fingerprint that tells one set from another."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from ..python import PLUGIN_ROOT

ENVIRONMENT = PLUGIN_ROOT / "resources" / "environment.txt"  # by hash
TORCH = PLUGIN_ROOT / "resources" / "torch.txt"
SCAN_TOOLS = PLUGIN_ROOT / "resources" / "scan_tools.txt"  # by hash
SCAN = PLUGIN_ROOT / "resources" / "scan.txt"  # by hash
UV = PLUGIN_ROOT / "resources" / "uv.txt"
PYTHON = "3.12"  # the version that the environment gets of its own


def fingerprint(*pins: Path) -> str:
    """Changes when a version changes in one of the files, by default those of the environment; comments, order and
    further hashes do not matter."""
    lines = (line for path in pins or (ENVIRONMENT, TORCH, SCAN_TOOLS, SCAN) for line in lines_of(path))
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:12]


def lines_of(pins: Path) -> list[str]:
    """The requirements of a file, without comments and hashes."""
    whole = pins.read_text(encoding="utf-8").replace("\\\n", " ")
    stripped = (re.split(r"#|\s--hash", line, maxsplit=1)[0].strip() for line in whole.splitlines())
    return [line for line in stripped if line]


def uv_version(pins: Path = UV) -> str:
    """The version of uv that is fetched."""
    found = re.search(r"^uv==(\S+)", pins.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError(f"{pins.name} names no version of uv")
    return found.group(1)
