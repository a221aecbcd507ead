"""What the set-up decides; the installation itself is what ran before this test."""

from __future__ import annotations

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
    file.write_text("numpy<3\n")
    assert set_up.pins([file]) != first


def test_a_failing_command_shows_its_last_words(tmp_path: Path):
    with pytest.raises(set_up.SetUpError, match="no such thing"):
        set_up.run(["/bin/sh", "-c", "echo no such thing; exit 3"], tmp_path / "log")


def test_the_plugin_link_is_made_once(tmp_path: Path):
    set_up.link_plugin(tmp_path / "plugins")
    set_up.link_plugin(tmp_path / "plugins")
    assert (tmp_path / "plugins" / "bdgf" / "metadata.txt").exists()
