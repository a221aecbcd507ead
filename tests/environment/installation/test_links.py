"""What is removed from the profile's folder never reaches through a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.environment.installation.home import remove_all, sweep
from bdgf.bdgf_qgis.files.paths import delete_folder, empty_folder


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    folder = tmp_path / "precious"
    (folder / "thesis").mkdir(parents=True)
    (folder / "thesis" / "text.odt").write_text("work of years")
    return folder


def test_links_go_alone(tmp_path: Path, precious: Path) -> None:
    home = tmp_path / "home"
    mode = os.stat(precious).st_mode
    home.mkdir()
    (home / "env").symlink_to(precious)
    assert sweep(home) == []
    for name in ("uv", "python", "environment.json"):
        (home / name).symlink_to(precious)
    assert remove_all(home, cache=home / "python") is None and not home.exists()
    (home / "env").mkdir(parents=True)
    (home / "env" / "e1").symlink_to(precious)
    assert sweep(home) == ["e1"] and os.listdir(home / "env") == []
    for remove in (delete_folder, empty_folder):
        (home / "env" / "e2").symlink_to(precious)
        remove(home / "env" / "e2" if remove is delete_folder else home / "env")
        assert os.listdir(home / "env") == []
    assert (precious / "thesis" / "text.odt").read_text() == "work of years"
    assert os.stat(precious).st_mode == mode
