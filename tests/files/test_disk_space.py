"""Room on disks: needs on one disk add up, and folders need not be there yet."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.files.disk_space import Need, Shortage, free_space, shortages


def test_needs_on_one_disk_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = tmp_path / "not" / "yet" / "there"
    assert free_space(new) == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1000, 900, 100))
    assert shortages([Need(tmp_path, 60), Need(new, 40)]) == []
    assert shortages([Need(tmp_path, 60), Need(new, 70), Need(tmp_path, -29)]) == [Shortage(tmp_path, 101, 100)]
