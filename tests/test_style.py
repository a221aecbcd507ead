"""ruff over the whole tree, mypy over what has type hints."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bdgf.model", "bdgf.bdgf_qgis", "bdgf.tools")


def run(*arguments: str) -> None:
    environment = {**os.environ, "MYPYPATH": str(ROOT / "build" / "plugins")}
    result = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_ruff() -> None:
    run("ruff", "check", ".")
    run("ruff", "format", "--check", ".")


def test_mypy() -> None:
    run("mypy", *(argument for each in PACKAGES for argument in ("-p", each)))
