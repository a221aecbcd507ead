"""Starts the real QGIS window, on a screen that nobody sees, with a script that runs inside and tells what it saw."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bdgf.tools.qgis_process import ROOT

SCRIPTS = Path(__file__).with_name("in_window")
_SETTINGS = "[PythonPlugins]\nbdgf=true\nprocessing=true\n\n[core]\nNewsFeed\\http\\feed.qgis.org\\disabled=true\n"


@dataclass(frozen=True)
class Window:
    """What a session of QGIS came to: the status it ended with, what the script told, and what QGIS printed."""

    status: int
    told: list[dict[str, Any]]
    printed: str

    def of(self, name: str) -> dict[str, Any]:
        """What was told under a name. Fails, with what QGIS printed, where nothing was."""
        found = [each for each in self.told if each["name"] == name]
        assert found, f"{name} was not told of:\n{self.printed[-4000:]}"
        return found[-1]


def open_window(home: Path, script: str, limit: float, **variables: str) -> Window:
    """Run a script of the folder in_window inside a QGIS with settings, caches and temporary files below `home`.

    The script finds `home` in the variable BDGF_TEST_OUT. What still runs after `limit` seconds is killed: status -9.
    """
    profile = home / "profiles" / "profiles" / "default" / "QGIS"
    temporary, runtime = home / "tmp", home / "runtime"
    for folder in (profile, temporary, runtime):
        folder.mkdir(parents=True, exist_ok=True)
    runtime.chmod(0o700)
    (profile / "QGIS3.ini").write_text(_SETTINGS, encoding="utf-8")
    plugins = str(ROOT / "build" / "plugins")
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("QGIS_", "XDG_", "QT_", "BDGF_"))
    }
    own = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(temporary), "QGIS_PLUGINPATH": plugins}
    environment = {**inherited, **own, "PYTHONPATH": str(SCRIPTS), "BDGF_TEST_OUT": str(home), **variables}
    screen = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24 -nolisten tcp"]
    qgis = ["qgis", "--nologo", "--noversioncheck", "--profiles-path", str(home / "profiles")]
    command = [*screen, *qgis, "--code", str(SCRIPTS / script)]
    with open(home / "printed.txt", "wb") as printed:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, start_new_session=True
        )
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            status = process.wait() and -signal.SIGKILL
    told = home / "told.jsonl"
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    said = (home / "printed.txt").read_text(encoding="utf-8", errors="replace")
    return Window(status, [json.loads(each) for each in lines], said)


def processes_with(variable: str) -> list[str]:
    """Command lines of live processes that have NAME=value among their variables."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if variable.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found
