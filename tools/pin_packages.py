"""Pins the packages of the managed environment anew: versions and hashes in resources/environment.txt and scan.txt.

Run from the repository's root with uv on the PATH: `python3 -m tools.pin_packages [--upgrade]`. Versions that are
pinned stay where they still fit requirements.txt; --upgrade takes the newest that do. Review the difference.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESOURCES = ROOT / "resources"
OLDEST_PYTHON = "3.10"  # of the worker; markers tell it from later ones
OF_TORCHS_BUILD = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)==")  # what hangs on the build that is chosen
SCAN = "mamba-ssm>=2.2,<3\n"
SCAN_TOOLS = "einops>=0.7,<1\nsetuptools\nwheel\nninja\npackaging\n"

ENVIRONMENT_HEAD = """\
# The managed environment, part 1: every package but PyTorch, for every system and for Python 3.10 to 3.14, each to the
# version and by the hashes of its files as the public index has them. Nothing else is installed (pip and uv run with
# --require-hashes), from whatever index or folder it comes. A mirror of the public index has the same files; so
# has a folder made with `pip download -r environment.txt`, then `pip download -r torch.txt`. Packages of your own build
# have other hashes: with those make a Python by hand (requirements.txt) and name it in the options.
#
# Not by hash: PyTorch and what only its builds for NVIDIA cards need (torch.txt). Each of its builds, as for the CPU or
# a CUDA release, comes from an index of its own with files of its own, and the computer decides which is taken.
#
# Made by tools/pin_packages.py from requirements.txt; do not edit.
"""
SCAN_HEAD = """\
# The optional fast scan for NVIDIA cards on Linux: mamba-ssm, built from its source without its CUDA code.
#
# Made by tools/pin_packages.py; do not edit.
"""
SCAN_TOOLS_HEAD = """\
# What mamba-ssm (scan.txt) is built with and runs with, installed before it.
#
# Made by tools/pin_packages.py; do not edit.
"""
TORCH_HEAD = """\
# The managed environment, part 2: PyTorch, to the version. Not by hash: environment.txt tells why. The packages for
# NVIDIA cards that come with it are chosen by PyTorch itself.
#
# Made by tools/pin_packages.py from requirements.txt; do not edit.
"""


def compiled(wanted: str, pinned: str, *options: str) -> list[str]:
    """The requirements that `wanted` comes to on every system, each with its hashes; those `pinned` where they fit."""
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "wanted.in"), Path(folder, "pinned.txt")
        source.write_text(wanted, encoding="utf-8")
        result.write_text(pinned, encoding="utf-8")
        command = ["uv", "pip", "compile", "--universal", f"--python-version={OLDEST_PYTHON}", "--generate-hashes"]
        quiet = ["--no-config", "--no-header", "--no-annotate", "--quiet", *options]
        subprocess.run([*command, *quiet, str(source), "-o", str(result)], stdin=subprocess.DEVNULL, check=True)
        return entries(result.read_text(encoding="utf-8"))


def entries(text: str) -> list[str]:
    """The requirements of a file, each with the lines of its hashes, without comments."""
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return re.findall(r"^\S[^\n]*(?:\n[ \t]+[^\n]*)*", "\n".join(lines), re.MULTILINE)


def pin(upgrade: bool) -> None:
    """Write the four files."""
    paths = [RESOURCES / f"{name}.txt" for name in ("environment", "torch", "scan_tools", "scan")]
    pinned = "" if upgrade else "\n".join(path.read_text(encoding="utf-8") for path in paths if path.exists())
    heads = (ENVIRONMENT_HEAD, TORCH_HEAD, SCAN_TOOLS_HEAD, SCAN_HEAD)
    wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    found = compiled(wanted, pinned)
    torch = [entry.partition(" ")[0] for entry in found if entry.startswith("torch==")]
    others = [entry for entry in found if not OF_TORCHS_BUILD.match(entry)]
    tools, scan = (compiled(each, pinned, "--no-deps") for each in (SCAN_TOOLS, SCAN))
    for path, head, lines in zip(paths, heads, (others, torch, tools, scan), strict=True):
        path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit requirements.txt")
    pin(parser.parse_args().upgrade)
    sys.exit(0)
