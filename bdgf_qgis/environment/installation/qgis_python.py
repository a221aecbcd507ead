"""Finds the Python that QGIS brings, only to fetch uv or to make a plain environment with it.

Where each system ships it, and the source it was read from:
- Linux: <prefix>/bin (Debian 12, tried).
- Windows: python.bat.tmpl of QGIS's ms-windows/osgeo4w starts %PYTHONHOME%\\python, and PYTHONHOME is sys.prefix, in
  OSGeo4W, standalone installer and conda alike (qgis/QGIS pull request 67318); apps\\PythonXY and bin\\python3.exe from
  QGIS-Documentation issue 7489 and qgis/QGIS pull request 51923.
- macOS: Contents/MacOS/bin/python3 of the bundle (qgis/QGIS issue 55258); since 3.44 without it, then
  Contents/Frameworks (opengeos/GeoAgent pull request 77); builds with vcpkg keep it in <prefix>/tools/python3
  (review of qgis/QGIS pull request 67318).
sys.executable is QGIS itself on Windows and macOS (qgis/QGIS issues 45646, 66672) and is never started.
"""

from __future__ import annotations

import ntpath
import posixpath
from collections.abc import Callable, Iterable, Mapping
from typing import Optional

from ..interpreter import Interpreter, ask_python
from .system import System

_OF_MACOS = (
    "/usr/bin/",
    "/System/",
    "/Library/Developer/",
    "/Applications/Xcode",
)  # a stub that opens a window, Xcode's


def candidates(system: System) -> list[str]:
    """Where QGIS's Python may lie, likeliest first; nothing is looked at."""
    major, minor = system.version
    if system.platform == "win32":
        join = ntpath.join
        found = [join(prefix, "python.exe") for prefix in system.prefixes]
        if system.osgeo4w:
            found.append(join(system.osgeo4w, "apps", f"Python{major}{minor}", "python.exe"))
            found.append(join(system.osgeo4w, "bin", "python3.exe"))
        if system.application:
            found.append(join(system.application, "python3.exe"))
        return _unique(each for each in found if not ntpath.basename(each).lower().startswith("qgis"))
    names = (f"python{major}.{minor}", "python3")
    folders = [posixpath.join(prefix, "bin") for prefix in system.prefixes]
    if system.platform == "darwin":
        bundle = _bundle(system)
        if bundle:
            framework = f"{bundle}/Contents/Frameworks/Python.framework/Versions/{major}.{minor}/bin"
            folders = [f"{bundle}/Contents/MacOS/bin", f"{bundle}/Contents/Frameworks/bin", framework, *folders]
        folders += [posixpath.join(prefix, "tools", "python3") for prefix in system.prefixes]
    found = [posixpath.join(folder, name) for folder in folders for name in names]
    return _unique(each for each in found if system.platform != "darwin" or not each.startswith(_OF_MACOS))


def _bundle(system: System) -> str:
    """The application bundle, '/Applications/QGIS.app', from the program's folder or a prefix inside it."""
    for path in (system.application, *system.prefixes):
        head, mark, _ = path.partition(".app/")
        if mark:
            return head + ".app"
    return ""


def _unique(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(paths))


def find_qgis_python(
    system: System,
    fits: Callable[[Interpreter], bool],
    environment: Mapping[str, str],
    ask: Callable[[str, Mapping[str, str]], Optional[Interpreter]] = ask_python,
) -> Optional[Interpreter]:
    """The first candidate that answers and `fits`."""
    for path in candidates(system):
        found = ask(path, environment)
        if found is not None and fits(found):
            return found
    return None
