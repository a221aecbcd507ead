"""Runs Processing algorithms through the real `qgis_process`, with the plugin enabled and a home of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Union

ROOT = Path(__file__).resolve().parents[1]
Value = Union[str, int, float, bool, Path, Sequence[Union[str, Path]]]


class QgisProcessError(Exception):
    """An algorithm failed; the text is what it said."""


class QgisProcess:
    """qgis_process with settings, caches and plugins in `home`, apart from those of the user.

    Args:
        home: an existing folder.
        environment: further variables.
    """

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        # Debian's wrapper of QGIS 3.22 fails; the program behind it works
        self.program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
        if self.program is None:
            raise QgisProcessError("qgis_process is not installed.")
        runtime = home / "runtime"
        runtime.mkdir(mode=0o700, exist_ok=True)
        own = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "QT_QPA_PLATFORM": "offscreen",
            "QGIS_PLUGINPATH": str(ROOT / "build" / "plugins"),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("QGIS_", "XDG_"))}
        self.environment = {**kept, **own, **(environment or {})}
        self.call("plugins", "enable", "bdgf")

    def run(self, algorithm: str, parameters: Mapping[str, Value]) -> dict[str, Any]:
        """The outputs of an algorithm; a list among the parameters is given value by value.

        Raises QgisProcessError with what the algorithm said where it failed.
        """
        given = []
        for name, value in parameters.items():
            values = value if isinstance(value, (list, tuple)) else [value]
            given += [f"--{name}={each}" for each in values]
        said = self.call("--json", "run", algorithm, *given)
        answer = json.loads(said[said.index("{") :])
        results: dict[str, Any] = answer["results"]
        return results

    def call(self, *arguments: str) -> str:
        """Standard output of a call.

        Raises QgisProcessError where it ends with an error.
        """
        assert self.program is not None
        done = subprocess.run(
            [self.program, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise QgisProcessError(f"{' '.join(arguments[:3])} failed:\n{done.stderr[-4000:]}\n{done.stdout[-1000:]}")
        return done.stdout
