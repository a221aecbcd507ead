"""Installs what is missing for `make demo` and `make test`; what is there is reused.

System packages come through apt, with sudo where needed; the torch side goes into build/venv, which sees QGIS and GDAL
of the system's Python. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's QGIS is built for; a bare python3 may be another
REQUIREMENTS = (ROOT / "requirements.txt", ROOT / "tools" / "requirements.txt")


class SetUpError(Exception):
    """The set-up cannot go on; the text says what to do."""


def _has_program(*names: str) -> bool:
    return any(shutil.which(name) for name in names)


def _has_module(name: str) -> bool:
    """Whether the system's Python can import a module (asked without running it)."""
    if not Path(SYSTEM_PYTHON).exists():
        return False
    question = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
    return subprocess.run([SYSTEM_PYTHON, "-I", "-c", question], check=False).returncode == 0


NEEDED: dict[str, Callable[[], bool]] = {
    "python3": lambda: Path(SYSTEM_PYTHON).exists(),
    "python3-venv": lambda: _has_module("venv") and _has_module("ensurepip"),
    "python3-gdal": lambda: _has_module("osgeo"),
    "python3-qgis": lambda: _has_module("qgis"),
    "qgis": lambda: _has_program("qgis") and _has_program("qgis_process.bin", "qgis_process"),
    "xvfb": lambda: _has_program("xvfb-run"),
    "xauth": lambda: _has_program("xauth"),
}


def missing_packages(needed: Mapping[str, Callable[[], bool]] = NEEDED) -> list[str]:
    """System packages whose programs or modules are not there."""
    return [package for package, is_there in needed.items() if not is_there()]


def apt_commands(packages: Sequence[str], *, root: bool, apt: str | None, sudo: str | None) -> list[list[str]]:
    """The commands that install packages.

    Raises SetUpError where apt, or the right to use it, is missing.
    """
    wanted = " ".join(packages)
    if apt is None:
        raise SetUpError(
            f"Missing: {wanted}. There is no apt-get here; install these with your system's tools, then try again."
        )
    if not root and sudo is None:
        raise SetUpError(f"Missing: {wanted}. Run as root: apt-get install {wanted}")
    prefix = [] if root else [str(sudo)]
    # another installation may hold the lock for a while, as on a machine that has just started
    patient = ["env", "DEBIAN_FRONTEND=noninteractive", apt, "-o", "DPkg::Lock::Timeout=600"]
    return [
        [*prefix, apt, "update"],
        [*prefix, *patient, "install", "-y", "--no-install-recommends", *packages],
    ]


def pins(files: Sequence[Path] = REQUIREMENTS, root: Path = ROOT) -> str:
    """What build/venv was made from: changes with a requirement, the system's Python and the place of the checkout.

    A virtual environment holds its own path, so one that was moved or copied with its checkout is of no use.
    """
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files))
    digest.update(f"{os.path.realpath(SYSTEM_PYTHON)} {root}".encode())
    return digest.hexdigest()


def pip_surroundings(given: Mapping[str, str]) -> dict[str, str]:
    """The environment for venv and pip: as given, but without what leads to another Python.

    pip reads PIP_FIND_LINKS (separated by spaces) itself; the places in UV_FIND_LINKS (by commas) are added to it.
    """
    away = {"PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"}
    surroundings = {name: value for name, value in given.items() if name not in away}
    links = given.get("PIP_FIND_LINKS", "").split()
    links += [each for each in given.get("UV_FIND_LINKS", "").split(",") if each and each not in links]
    return {**surroundings, "PIP_FIND_LINKS": " ".join(links)} if links else surroundings


def run(command: Sequence[str], log: Path, surroundings: Mapping[str, str] | None = None) -> None:
    """Runs a command with its output in the log.

    Raises SetUpError with the log's last lines.
    """
    with log.open("a", encoding="utf-8") as out:
        out.write(f"$ {' '.join(command)}\n")
        out.flush()
        status = subprocess.run(
            command, env=surroundings, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False
        )
    if status.returncode:
        last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise SetUpError(f"{command[0]} ended with status {status.returncode}:\n{last}\nThe whole log: {log}")


def make_environment(folder: Path, log: Path) -> None:
    """build/venv with the worker's packages and the tools of the tests; its stamp is written last."""
    stamp = folder / "pins"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == pins() and (folder / "bin" / "python").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    surroundings = pip_surroundings(os.environ)
    run([SYSTEM_PYTHON, "-m", "venv", "--system-site-packages", str(folder)], log, surroundings)
    run([str(folder / "bin" / "python"), "-m", "pip", "install", "-r", str(REQUIREMENTS[-1])], log, surroundings)
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "bdgf.pth").write_text(f"{ROOT / 'build' / 'plugins'}\n", encoding="utf-8")
    stamp.write_text(pins(), encoding="utf-8")


def link_plugin(plugins: Path) -> None:
    """build/plugins/bdgf: the checkout under the plugin's name, for QGIS_PLUGINPATH and for the tests."""
    plugins.mkdir(parents=True, exist_ok=True)
    link = plugins / "bdgf"
    if link.is_symlink() and link.resolve() != ROOT:
        link.unlink()
    if not link.is_symlink():
        link.symlink_to(os.path.relpath(ROOT, plugins), target_is_directory=True)


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Waits until no other set-up of this checkout is under way."""
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Sets up and says how long it took."""
    start = time.monotonic()
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    log = build / "set-up.log"
    try:
        with only_one(build / "set-up.lock"):
            packages = missing_packages()
            if packages:
                print(f"Installing {' '.join(packages)} ...", flush=True)
                rights = {"root": os.geteuid() == 0, "apt": shutil.which("apt-get"), "sudo": shutil.which("sudo")}
                for command in apt_commands(packages, **rights):  # type: ignore[arg-type]
                    run(command, log)
            link_plugin(build / "plugins")
            make_environment(build / "venv", log)
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Set-up: {time.monotonic() - start:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
