"""Where uv is not to be had: venv and pip of QGIS's own Python. And the proof that an environment must pass."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.environment.installation import install as module
from bdgf.bdgf_qgis.environment.installation import steps
from bdgf.bdgf_qgis.environment.installation.errors import InstallationError
from bdgf.bdgf_qgis.environment.installation.home import remove_all
from bdgf.bdgf_qgis.environment.installation.install import Installation, install, is_outdated
from bdgf.bdgf_qgis.environment.installation.options import Network, Options
from bdgf.bdgf_qgis.environment.installation.output import explanation
from bdgf.bdgf_qgis.environment.installation.pins import ENVIRONMENT
from bdgf.bdgf_qgis.environment.installation.system import System, this_system
from bdgf.bdgf_qgis.environment.managed import Managed, environments, python_inside, read_state, write_state
from bdgf.bdgf_qgis.feedback import Feedback
from bdgf.tests.environment.installation.conftest import SYSTEM_PYTHON
from bdgf.tools.pin_packages import entries


class Heard(Feedback):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def at(self, share: float, text: str = "") -> None:
        assert 0 <= share <= 1

    def note(self, level: str, text: str) -> None:
        self.notes.append(text)


def works(python: Path, feedback: Feedback) -> None:
    assert python.is_file()


def fails(python: Path, feedback: Feedback) -> None:
    raise InstallationError("The environment does not work: a missing DLL.")


def job(home: Path, system: System | None = None, prove=works) -> Installation:  # type: ignore[no-untyped-def]
    options = Options(torch_backend="none")
    return Installation(home, system or this_system(), options, Network(), "9.9", prove)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for an environment of one small package, on a computer without uv."""
    (pinned,) = (each for each in entries(ENVIRONMENT.read_text()) if each.startswith("safetensors=="))
    by_hash, by_version = tmp_path / "pins.txt", tmp_path / "torch.txt"
    by_hash.write_text(pinned)
    by_version.write_text("safetensors\n")
    monkeypatch.setattr(steps, "ENVIRONMENT", by_hash)
    monkeypatch.setattr(steps, "TORCH", by_version)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")

    def no_uv(python: str, folder: Path) -> steps.Step:
        return steps.Step("Fetching uv", (python, "-c", "raise SystemExit('no such package')"), 1)

    monkeypatch.setattr(module, "fetch_uv", no_uv)
    return tmp_path / "profile ü" / "bdgf"


def test_plain_pip_makes_it_too(home: Path) -> None:
    feedback = Heard()
    result = install(job(home), feedback)
    assert result.python.is_file() and list(result.python.parents[1].glob("lib/python*/site-packages/safetensors"))
    assert any("uv is not to be had" in each for each in feedback.notes)
    assert read_state(home) is not None and not is_outdated(home)
    assert remove_all(home) is None and not home.exists()


def test_another_file_than_the_pinned_one_is_not_installed(home: Path) -> None:
    pins = steps.ENVIRONMENT
    pins.write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", pins.read_text()))
    with pytest.raises(InstallationError, match="not what this plugin expects and was thrown away"):
        install(job(home), Heard())
    assert read_state(home) is None and list(environments(home).iterdir()) == []


def test_what_does_not_work_is_not_put_in_use(home: Path) -> None:
    with pytest.raises(InstallationError, match="a missing DLL"):
        install(job(home, prove=fails), Heard())
    assert read_state(home) is None and list(environments(home).iterdir()) == []


def test_without_any_python_one_sentence_says_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_qgis_python", lambda *_: None)
    with pytest.raises(InstallationError, match=r"^Neither uv nor a Python .* install uv or Python .*BDGF options\.$"):
        install(job(home), Heard())


def test_a_computer_without_pytorch_is_told_before_anything_is_made(home: Path) -> None:
    with pytest.raises(InstallationError, match="Intel"):
        install(job(home, System("darwin", "x86_64", (), (3, 12))), Heard())
    assert not home.exists()


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InstallationError, match=r"The folder .*file/bdgf in the QGIS profile cannot be written"):
        install(job(tmp_path / "file" / "bdgf"), Heard())


def test_broken_records_count_as_none(tmp_path: Path) -> None:
    python = python_inside(environments(tmp_path) / "e1")
    python.parent.mkdir(parents=True)
    python.write_text("")
    write_state(tmp_path, Managed("e1", "p", "1"))
    assert read_state(tmp_path) == Managed("e1", "p", "1")
    for text in ("", "{", "[]", '{"name": "e1"}', '{"name": "", "pins": "p", "plugin": "1"}'):
        (tmp_path / "environment.json").write_text(text)
        assert read_state(tmp_path) is None, text
    assert os.listdir(tmp_path / "env") == ["e1"]


def test_uv_refuses_it_too(uv: Path, home: Path, tmp_path: Path) -> None:
    pins = steps.ENVIRONMENT
    pins.write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", pins.read_text()))
    folder = tmp_path / "environment"
    subprocess.run(steps.make_environment(str(uv), folder, SYSTEM_PYTHON).command, check=True, capture_output=True)
    by_hash, _ = steps.install_packages(str(uv), folder, Options(torch_backend="none"))
    done = subprocess.run(by_hash.command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "not what this plugin expects" in explanation(done.stderr.splitlines(), "")
