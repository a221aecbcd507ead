"""ruff over the whole tree, mypy over what has type hints."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "bdgf.model",
    *(f"bdgf.bdgf_qgis.{each}" for each in ("raster", "engine", "demo", "installation", "diagnosis")),
)


def run(*arguments: str) -> None:
    environment = {**os.environ, "MYPYPATH": str(ROOT / "build" / "plugins")}
    result = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_ruff() -> None:
    run("ruff", "check", ".")


def test_mypy() -> None:
    packages = [each for each in PACKAGES if (ROOT / "/".join(each.split(".")[1:])).is_dir()]
    run("mypy", *(argument for each in packages for argument in ("-p", each)))
