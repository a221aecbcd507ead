"""What the set-up decides; the installation itself is what ran before this test."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from bdgf.tools import set_up


def test_only_what_is_missing_is_installed():
    needed = {"there": lambda: True, "gone": lambda: False, "also-gone": lambda: False}
    assert set_up.missing_packages(needed) == ["gone", "also-gone"]
    assert set_up.missing_packages() == [], "this suite runs after the set-up"


def test_apt_is_asked_with_sudo_only_where_needed():
    as_root = set_up.apt_commands(["qgis"], root=True, apt="apt-get", sudo=None)
    assert as_root[0] == ["apt-get", "update"] and as_root[1][-1] == "qgis"
    as_user = set_up.apt_commands(["qgis"], root=False, apt="apt-get", sudo="sudo")
    assert all(command[0] == "sudo" for command in as_user)


def test_without_apt_or_rights_it_says_what_to_install():
    with pytest.raises(set_up.SetUpError, match=r"qgis xvfb.*no apt-get"):
        set_up.apt_commands(["qgis", "xvfb"], root=True, apt=None, sudo=None)
    with pytest.raises(set_up.SetUpError, match="Run as root: apt-get install qgis"):
        set_up.apt_commands(["qgis"], root=False, apt="apt-get", sudo=None)


def test_other_pins_make_another_environment(tmp_path: Path):
    file = tmp_path / "requirements.txt"
    file.write_text("numpy<2\n")
    first = set_up.pins([file])
    assert set_up.pins([file]) == first
    assert set_up.pins([file], tmp_path) != first, "a copied checkout"
    file.write_text("numpy<3\n")
    assert set_up.pins([file]) != first


def test_places_of_wheels_reach_pip():
    given = {"UV_FIND_LINKS": "/a,/b", "PIP_FIND_LINKS": "/b /c", "PYTHONPATH": "/other", "HOME": "/h"}
    surroundings = set_up.pip_surroundings(given)
    assert surroundings["PIP_FIND_LINKS"] == "/b /c /a" and surroundings["HOME"] == "/h"
    assert "PYTHONPATH" not in surroundings
    assert set_up.pip_surroundings({"UV_FIND_LINKS": "/a"})["PIP_FIND_LINKS"] == "/a"
    assert set_up.pip_surroundings({}) == {}


def test_an_interrupted_environment_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    commands = []

    def run(command, log, surroundings) -> None:
        commands.append(command)
        (tmp_path / "venv" / "bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / "venv" / "bin" / "python").touch()
        (tmp_path / "venv" / "lib" / "python3.x" / "site-packages").mkdir(parents=True, exist_ok=True)
        if interrupted and "pip" in command:
            raise set_up.SetUpError("cut")

    monkeypatch.setattr(set_up, "run", run)
    interrupted = True
    with pytest.raises(set_up.SetUpError):
        set_up.make_environment(tmp_path / "venv", tmp_path / "log")
    (tmp_path / "venv" / "left over").touch()
    interrupted = False
    set_up.make_environment(tmp_path / "venv", tmp_path / "log")
    assert len(commands) == 4 and not (tmp_path / "venv" / "left over").exists()
    set_up.make_environment(tmp_path / "venv", tmp_path / "log")
    assert len(commands) == 4, "what is whole is kept"


def test_a_failing_command_shows_its_last_words(tmp_path: Path):
    with pytest.raises(set_up.SetUpError, match="no such thing"):
        set_up.run(["/bin/sh", "-c", "echo no such thing; exit 3"], tmp_path / "log")


def test_the_plugin_link_is_made_once(tmp_path: Path):
    set_up.link_plugin(tmp_path / "plugins")
    set_up.link_plugin(tmp_path / "plugins")
    assert (tmp_path / "plugins" / "bdgf" / "metadata.txt").exists()


def test_a_link_that_leads_elsewhere_is_mended(tmp_path: Path):
    (tmp_path / "bdgf").symlink_to("nowhere")
    set_up.link_plugin(tmp_path)
    assert (tmp_path / "bdgf" / "metadata.txt").exists()


def test_a_second_set_up_waits_for_the_first(tmp_path: Path):
    with set_up.only_one(tmp_path / "lock"), (tmp_path / "lock").open("w") as second, pytest.raises(BlockingIOError):
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with set_up.only_one(tmp_path / "lock"):
        pass
