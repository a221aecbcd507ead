"""Where QGIS's Python is looked for on each system, from facts of those systems."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.environment.installation.qgis_python import candidates, find_qgis_python
from bdgf.bdgf_qgis.environment.installation.system import System, no_build_for
from bdgf.bdgf_qgis.environment.interpreter import Interpreter, ask_python

DEBIAN = System("linux", "x86_64", ("/usr",), (3, 11), "/usr/bin")
# qgis/QGIS issue 66672: the program is bin\qgis-bin.exe; python.bat.tmpl: PYTHONHOME is apps\Python312
OSGEO4W = System(
    "win32",
    "AMD64",
    (r"C:\OSGeo4W\apps\Python312",),
    (3, 12),
    r"C:\OSGeo4W\bin",
    osgeo4w=r"C:\OSGeo4W",
)
# qgis/QGIS issue 55258: the bundle's Python is Contents/MacOS/bin/python3
MAC_BUNDLE = System(
    "darwin", "arm64", ("/Applications/QGIS.app/Contents/MacOS",), (3, 9), "/Applications/QGIS.app/Contents/MacOS"
)
# opengeos/GeoAgent pull request 77: since 3.44 in Contents/Frameworks
MAC_344 = System(
    "darwin",
    "arm64",
    ("/Applications/QGIS-LTR.app/Contents/Frameworks",),
    (3, 12),
    "/Applications/QGIS-LTR.app/Contents/MacOS",
)
# a review of qgis/QGIS pull request 67318: <prefix>/tools/python3/python3.12
MAC_VCPKG = System("darwin", "arm64", ("/Users/dev/qgis/build/vcpkg_installed/arm64-osx",), (3, 12))
MAC_SYSTEM = System("darwin", "arm64", ("/usr", "/Library/Developer/CommandLineTools/usr"), (3, 9))


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (DEBIAN, "/usr/bin/python3.11"),
        (OSGEO4W, r"C:\OSGeo4W\apps\Python312\python.exe"),
        (MAC_BUNDLE, "/Applications/QGIS.app/Contents/MacOS/bin/python3"),
        (MAC_344, "/Applications/QGIS-LTR.app/Contents/Frameworks/bin/python3.12"),
        (MAC_VCPKG, "/Users/dev/qgis/build/vcpkg_installed/arm64-osx/tools/python3/python3.12"),
    ],
    ids=["debian", "osgeo4w", "mac bundle", "mac 3.44", "mac vcpkg"],
)
def test_it_is_found_where_each_system_ships_it(system: System, expected: str) -> None:
    def ask(path: str, environment: Mapping[str, str]) -> Interpreter | None:
        return Interpreter(path, (3, 12), system.machine, True, True, True) if path == expected else None

    found = find_qgis_python(system, lambda python: python.fetches_uv, {}, ask)
    assert found is not None and found.path == expected


@pytest.mark.parametrize("system", [DEBIAN, OSGEO4W, MAC_BUNDLE, MAC_344, MAC_VCPKG, MAC_SYSTEM])
def test_qgis_itself_and_the_stub_of_macos_are_never_candidates(system: System) -> None:
    found = candidates(system)
    assert len(found) == len(set(found))
    names = [path.replace("\\", "/").rpartition("/")[2].lower() for path in found]
    assert all(name.startswith("python") for name in names)
    if system.platform == "darwin":
        assert not [each for each in found if each.startswith(("/usr/bin", "/Library/Developer", "/System"))]


def test_nothing_on_a_mac_whose_python_is_the_systems() -> None:
    assert all("CommandLineTools" not in each and each != "/usr/bin/python3" for each in candidates(MAC_SYSTEM))


def test_the_first_that_fits_is_taken() -> None:
    asked = []

    def ask(path: str, environment: Mapping[str, str]) -> Interpreter | None:
        asked.append(path)
        return Interpreter(path, (3, 11), "x86_64", pip=path.endswith("python3"), venv=False, secure=True)

    found = find_qgis_python(DEBIAN, lambda python: python.fetches_uv, {}, ask)
    assert found is not None and found.path == "/usr/bin/python3"
    assert asked == ["/usr/bin/python3.11", "/usr/bin/python3"]
    assert find_qgis_python(DEBIAN, lambda python: python.makes_environments, {}, ask) is None


def program(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_real_python_answers() -> None:
    found = ask_python("/usr/bin/python3", dict(os.environ))
    assert found is not None and found.version >= (3, 9) and found.secure and found.wide


def test_what_hangs_or_is_no_python_is_passed_over(tmp_path: Path) -> None:
    assert ask_python(program(tmp_path / "hangs", "#!/bin/sh\nexec sleep 60\n"), dict(os.environ), timeout=0.3) is None
    assert ask_python(program(tmp_path / "other", "#!/bin/sh\necho BDGF not json\n"), dict(os.environ)) is None
    assert ask_python(program(tmp_path / "broken", "no program"), dict(os.environ)) is None
    assert ask_python(str(tmp_path / "missing"), dict(os.environ)) is None


@pytest.mark.parametrize("version", [(3, 9), (3, 15)])
def test_the_worker_needs_a_python_with_builds(version: tuple[int, int]) -> None:
    python = Interpreter("p", version, "x86_64", True, True, True)
    assert not python.makes_environments and python.fetches_uv


def test_computers_without_pytorch_get_a_sentence() -> None:
    assert "Intel" in no_build_for(System("darwin", "x86_64", (), (3, 12)))
    assert "32-bit" in no_build_for(System("linux", "armv7l", (), (3, 11)))
    assert not no_build_for(DEBIAN) and not no_build_for(OSGEO4W) and not no_build_for(MAC_344)
