"""What the installation decides from facts: room, uv, steps, variables, pins."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bdgf.bdgf_qgis.environment.diagnosis.requirements import satisfies
from bdgf.bdgf_qgis.environment.installation.errors import InstallationError
from bdgf.bdgf_qgis.environment.installation.home import CPU_BYTES, CUDA_BYTES, check_space, space_needed
from bdgf.bdgf_qgis.environment.installation.options import Network, Options
from bdgf.bdgf_qgis.environment.installation.pins import (
    ENVIRONMENT,
    SCAN,
    SCAN_TOOLS,
    TORCH,
    UV,
    fingerprint,
    lines_of,
    uv_version,
)
from bdgf.bdgf_qgis.environment.installation.steps import (
    fetch_python,
    fetch_uv,
    install_packages,
    install_scan_kernel,
    make_environment,
    shares,
    wants_scan_kernel,
    with_plain_pip,
)
from bdgf.bdgf_qgis.environment.installation.system import System
from bdgf.bdgf_qgis.environment.installation.tool_variables import bootstrap_variables, secrets_of, tool_variables
from bdgf.bdgf_qgis.environment.installation.uv import Uv, fetched_uv, find_uv, uv_folder
from bdgf.bdgf_qgis.environment.python import PLUGIN_ROOT
from bdgf.bdgf_qgis.files.paths import folder_size
from bdgf.tools import pin_packages

LINUX = System("linux", "x86_64", ("/usr",), (3, 11))
WITH_CARD = System("linux", "x86_64", ("/usr",), (3, 11), nvidia=True)
WINDOWS = System("win32", "AMD64", (r"C:\OSGeo4W\apps\Python312",), (3, 12), osgeo4w=r"C:\OSGeo4W")
MAC = System("darwin", "arm64", ("/Applications/QGIS.app/Contents/MacOS",), (3, 12))


# ---------------------------------------------------------------- pins


def packages_of(pins: Path = ENVIRONMENT) -> tuple[str, ...]:
    """Names of the packages, each once."""
    names = (re.split(r"[=<>!~; \[]", line, maxsplit=1)[0] for line in lines_of(pins))
    return tuple(dict.fromkeys(names))


def test_exact_versions_lie_within_what_the_worker_runs_with() -> None:
    wanted = dict(
        (line.partition(">=")[0], ">=" + line.partition(">=")[2]) for line in lines_of(PLUGIN_ROOT / "requirements.txt")
    )
    assert {*packages_of(), *packages_of(TORCH)} > set(wanted), "with what those need"
    for line in (*lines_of(ENVIRONMENT), *lines_of(TORCH)):
        name, _, version = line.partition(";")[0].strip().partition("==")
        assert satisfies(version, wanted.get(name, "")), line


@pytest.mark.parametrize("path", [ENVIRONMENT, SCAN, SCAN_TOOLS], ids=lambda each: each.name)
def test_each_package_is_pinned_by_hash(path: Path) -> None:
    for entry in pin_packages.entries(path.read_text()):
        assert re.match(r"[a-z0-9-]+==[\w.]+( ; .*)? \\\n", entry), entry
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry
    assert not re.search("^(torch|triton|nvidia)", path.read_text(), re.MULTILINE), "its builds have other files"


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_every_system_gets_one_version_of_each(python: str, platform: str) -> None:
    facts = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": platform}
    wanted = [Requirement(line) for line in lines_of(ENVIRONMENT)]
    names = sorted(each.name for each in wanted if each.marker is None or each.marker.evaluate(facts))
    assert names == sorted(packages_of(ENVIRONMENT))


def test_requirements_are_read_from_pins_with_hashes(tmp_path: Path) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text(
        "# head\na==1 ; python_version < '3' \\\n    --hash=sha256:0 \\\n    --hash=sha256:1\nb==2 # last\n"
    )
    assert lines_of(pins) == ["a==1 ; python_version < '3'", "b==2"]


def test_fingerprint_goes_by_versions_alone(tmp_path: Path) -> None:
    one, other, third = (tmp_path / name for name in "abc")
    one.write_text("# hello\ntorch==2.13.0\nnumpy==2.4.6\n")
    other.write_text("numpy==2.4.6\ntorch==2.13.0  # pinned\n")
    third.write_text("numpy==2.4.6\ntorch==2.13.1\n")
    assert fingerprint(one) == fingerprint(other) != fingerprint(third)
    other.write_text("numpy==2.4.6 \\\n    --hash=sha256:01\ntorch==2.13.0\n")
    assert fingerprint(one) == fingerprint(other), "a further file of the same version is no news"


def test_uv_is_pinned_by_hash_for_each_system() -> None:
    text = UV.read_text()
    assert text.count("--hash=sha256:") >= 7 and uv_version().count(".") == 2


def test_no_index_address_stands_in_the_installation() -> None:
    for path in (
        *(PLUGIN_ROOT / "bdgf_qgis" / "installation").glob("*.py"),
        *(PLUGIN_ROOT / "resources").glob("*.txt"),
    ):
        assert "https://" not in path.read_text(), path.name


# ---------------------------------------------------------------- room


def test_the_build_for_cards_needs_more_room() -> None:
    assert space_needed(LINUX, "auto") == space_needed(WITH_CARD, "cpu") == CPU_BYTES
    assert space_needed(WITH_CARD, "auto") == space_needed(LINUX, "cu130") == CUDA_BYTES
    assert space_needed(MAC, "auto") == CPU_BYTES


def test_too_little_room_is_told_before(tmp_path: Path) -> None:
    check_space(tmp_path, 1)
    with pytest.raises(InstallationError, match=r"needs \d+ GiB and the disk of .* GiB free: make room"):
        check_space(tmp_path, shutil.disk_usage(tmp_path).total * 2)


def test_folder_size(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert folder_size(tmp_path) == 5 and folder_size(tmp_path / "missing") == 0


# ---------------------------------------------------------------- uv


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_order_of_uv(tmp_path: Path) -> None:
    setting, on_path, home = program(tmp_path / "s" / "uv"), program(tmp_path / "p" / "uv"), tmp_path / "home"
    variables = {"PATH": str(on_path.parent)}
    versions: dict[str, tuple[int, ...]] = {str(setting): (0, 13), str(on_path): (0, 9)}

    def ask(path: str, environment: Mapping[str, str]) -> tuple[int, ...] | None:
        return versions.get(path)

    assert find_uv(str(setting), home, LINUX, variables, ask) == Uv(str(setting), "setting bdgf/uv")
    assert find_uv("", home, LINUX, variables, ask) == Uv(str(on_path), "PATH")
    versions[str(on_path)] = (0, 4)
    assert find_uv("", home, LINUX, variables, ask) is None, "too old, and none was fetched"
    versions[str(fetched_uv(home))] = (0, 13)
    assert find_uv("", home, LINUX, variables, ask) is None, "fetched by an older plugin"
    (uv_folder(home) / f"uv-{uv_version()}.dist-info").mkdir(parents=True)
    assert find_uv("", home, LINUX, variables, ask) == Uv(str(fetched_uv(home)), "fetched before")
    with pytest.raises(InstallationError, match="bdgf/uv names /nowhere/uv"):
        find_uv("/nowhere/uv", home, LINUX, variables, ask)


def test_uv_has_its_suffix_on_windows() -> None:
    assert fetched_uv(Path("h"), "win32").name == "uv.exe" and fetched_uv(Path("h"), "darwin").name == "uv"


# ---------------------------------------------------------------- steps


def test_commands() -> None:
    folder = Path("/p/env/e1")
    assert "--require-hashes" in fetch_uv("/usr/bin/python3", Path("/p/uv")).command
    assert fetch_python("uv").command[:3] == ("uv", "python", "install")
    assert "--managed-python" in make_environment("uv", folder, "").command
    own = make_environment("uv", folder, "/p/python").command
    assert own[own.index("--python") + 1] == "/p/python" and "--managed-python" not in own
    by_hash, torch = install_packages("uv", folder, Options())
    assert "--torch-backend=auto" in torch.command
    assert "--require-hashes" in by_hash.command and "--torch-backend=auto" not in by_hash.command
    plain = install_packages("uv", folder, Options(torch_backend="none"))
    assert not [each for step in plain for each in step.command if each.startswith("--torch-backend")]
    assert "--require-hashes" in with_plain_pip("/usr/bin/python3", folder)[1].command


def test_the_fast_scan_is_for_linux_with_a_card() -> None:
    assert wants_scan_kernel(WITH_CARD, Options())
    assert not wants_scan_kernel(WITH_CARD, Options(torch_backend="cpu"))
    assert not any(wants_scan_kernel(each, Options()) for each in (LINUX, WINDOWS, MAC))
    steps = install_scan_kernel("uv", Path("/e"))
    assert all("--require-hashes" in each.command for each in steps)
    assert ("MAMBA_SKIP_CUDA_BUILD", "TRUE") in steps[-1].extra and "--no-deps" in steps[-1].command


def test_shares_fill_the_bar() -> None:
    parts = shares((fetch_python("uv"), fetch_uv("p", Path("f"))), 10.0)
    assert parts[0][0] == 0 and parts[0][1] == parts[1][0] and parts[1][1] == pytest.approx(0.9)


# ---------------------------------------------------------------- variables


HOSTILE = {
    "PATH": "/bin",
    "PYTHONPATH": "/fake",
    "PYTHONHOME": "/fake",
    "LD_LIBRARY_PATH": "/fake",
    "LD_AUDIT": "/fake",
    "BASH_ENV": "/fake",
    "PIP_TARGET": "/fake",
    "PIP_USER": "1",
    "QGIS_PREFIX_PATH": "/usr",
}


def test_proxy_and_certificates_of_qgis_are_handed_on(tmp_path: Path) -> None:
    network = Network("http://anna:p%40ss@proxy:8080", ("intranet", "10.0.0.0/8"), "/p/certificates.pem")
    found = tool_variables(LINUX, tmp_path, Options(), network, HOSTILE)
    assert found["HTTPS_PROXY"] == found["https_proxy"] == found["ALL_PROXY"] == network.proxy
    assert found["NO_PROXY"] == "intranet,10.0.0.0/8"
    assert found["SSL_CERT_FILE"] == found["PIP_CERT"] == "/p/certificates.pem"
    assert not [each for each in found.values() if "/fake" in each]
    assert not {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_USER", "LD_LIBRARY_PATH"} & set(found)
    assert "p%40ss" not in repr(network), "not in a traceback either"
    assert secrets_of(network) == ("anna", "p%40ss")


def test_without_certificates_of_its_own_the_systems_are_used(tmp_path: Path) -> None:
    assert tool_variables(LINUX, tmp_path, Options(), Network(), HOSTILE)["UV_SYSTEM_CERTS"] == "1"
    own = tmp_path / "own.pem"
    own.write_text("")
    kept = tool_variables(LINUX, tmp_path, Options(), Network(), {**HOSTILE, "SSL_CERT_FILE": str(own)})
    assert kept["SSL_CERT_FILE"] == str(own), "the user's, not QGIS's"
    qgis = System("win32", "AMD64", (str(tmp_path),), (3, 12))
    assert "SSL_CERT_FILE" not in tool_variables(qgis, tmp_path, Options(), Network(), {"SSL_CERT_FILE": str(own)})


def test_closed_networks(tmp_path: Path) -> None:
    options = Options(index="http://mirror/simple", links="/packages", mirror="file:///pythons", cache="/c")
    found = tool_variables(LINUX, tmp_path, options, Network(), {"UV_FIND_LINKS": "/other"})
    assert found["UV_DEFAULT_INDEX"] == found["PIP_INDEX_URL"] == options.index
    assert found["UV_FIND_LINKS"] == found["PIP_FIND_LINKS"] == "/packages"
    assert found["UV_PYTHON_INSTALL_MIRROR"] == options.mirror
    assert found["UV_CACHE_DIR"] == str(Path("/c/bdgf-cache/downloads"))
    assert "PIP_NO_INDEX" not in found
    assert not [step for step in install_packages("uv", tmp_path, options) if "--no-index" in step.command]


def test_a_folder_of_packages_alone_needs_no_index(tmp_path: Path) -> None:
    """No index is asked, not for PyTorch either: uv gives up where one does not answer."""
    options = Options(links="/packages")
    found = tool_variables(LINUX, tmp_path, options, Network(), {})
    assert found["PIP_NO_INDEX"] == "1"
    commands = [step.command for step in install_packages("uv", tmp_path, options)]
    assert all("--no-index" in command for command in commands)
    assert not [part for command in commands for part in command if "--torch-backend" in part]


def test_qgis_python_on_windows_keeps_the_path_with_its_libraries() -> None:
    path = r"C:\OSGeo4W\bin;C:\Windows"
    clean = tool_variables(WINDOWS, Path("/h"), Options(), Network(), {"PATH": path, "OSGEO4W_ROOT": r"C:\OSGeo4W"})
    assert clean["PATH"] == r"C:\Windows"
    assert bootstrap_variables(clean, WINDOWS, {"PATH": path})["PATH"] == path
    assert bootstrap_variables(clean, LINUX, {"PATH": path})["PATH"] == r"C:\Windows"
