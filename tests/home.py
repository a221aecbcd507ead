"""A home of the test run's own, and Qt without a display.

pytest-qgis starts Qt before it reads any conftest.py, so this is a plugin of its own (`-p` in pyproject.toml).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_MARK = "BDGF_TEST_HOME"  # a process started by a test keeps the folder of the test


def move_in() -> None:
    """Settings, caches and sockets go to a temporary folder that is removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="bdgf-tests-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ.update({_MARK: str(home), "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)})
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        os.environ.pop(name, None)
    # what pytest-qgis wrote in an earlier run
    shutil.rmtree(Path(__file__).resolve().parents[1] / ".qgis-settings", ignore_errors=True)


if _MARK not in os.environ:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    move_in()
