"""The table of a folder's scenes, as spreadsheets read it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.workflows.scene_table import FAILED, SceneResult, SceneTable
from bdgf.model.shared.infos import ClassInfo


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum(a)", "\t=1+1", "\r=1", "\uff1d1", " =1"])
def test_no_cell_is_a_formula(name: str, tmp_path: Path) -> None:
    with SceneTable(tmp_path / "table.csv", [ClassInfo(1, name, "#000000")]) as table:
        table.add(SceneResult(name, FAILED, message=f"{name} is broken"))
    with open(tmp_path / "table.csv", newline="", encoding="utf-8-sig") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    shown = name.replace("\t", " ").replace("\r", " ")
    assert f"'{shown}" in cells and f"'{shown} is broken" in cells
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d")) for cell in cells)


def test_what_is_no_formula_stands_as_it_is(tmp_path: Path) -> None:
    with SceneTable(tmp_path / "table.csv", []) as table:
        table.add(SceneResult("a-b = c", FAILED, message="'x' was not found\x07 \udcff"))
    with open(tmp_path / "table.csv", newline="", encoding="utf-8-sig") as file:
        row = next(iter(csv.DictReader(file)))
    assert (row["scene"], row["message"]) == ("a-b = c", "'x' was not found  \ufffd")
