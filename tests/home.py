"""A home of the test run's own, Qt without a display, and an end without a crash.

pytest-qgis starts Qt before it reads any conftest.py, so this is a plugin of its own (`-p` in pyproject.toml).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

_MARK = "BDGF_TEST_HOME"  # a process started by a test keeps the folder of the test
_made: list[Path] = []  # by this process


def move_in() -> None:
    """Settings, caches and sockets go to a temporary folder that is removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="bdgf-tests-"))
    _made.append(home)
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ.update({_MARK: str(home), "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)})
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        os.environ.pop(name, None)
    # what pytest-qgis wrote in an earlier run
    shutil.rmtree(Path(__file__).resolve().parents[1] / ".qgis-settings", ignore_errors=True)


class _Ending:
    """Ends the process as soon as all was said: QGIS, GDAL and PROJ are torn down by the interpreter in any order, and
    a crash among them after the last test would hide what the tests came to."""

    status = 0

    def pytest_sessionfinish(self, exitstatus: Any) -> None:
        """Remember what the tests came to."""
        self.status = int(exitstatus)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        """Leave nothing behind, and end; a worker that waits for the next run ends when its pipe does."""
        for home in _made:
            shutil.rmtree(home, ignore_errors=True)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(self.status)


def pytest_configure(config: pytest.Config) -> None:
    """Take part in the end of the session."""
    config.pluginmanager.register(_Ending(), "bdgf-ending")


if _MARK not in os.environ:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    move_in()
