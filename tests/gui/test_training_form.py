"""Training polygons drawn by hand in the real window: a class is asked for, and remembered."""

from __future__ import annotations

import datetime
from pathlib import Path

from bdgf.tests.gui.real_window import open_window


def test_drawing_in_the_form(tmp_path: Path) -> None:
    window = open_window(tmp_path, "training_form.py", 120)
    layer = window.of("layer")
    assert layer["well"], window.printed
    place = f"profiles/profiles/default/bdgf/samples/samples {datetime.date.today().isoformat()}.gpkg"
    assert layer["path"] == str(tmp_path / place), "the dialog's default"
    empty = {"shown": "(NULL)", "may_be_kept": False}
    for name, expected in (
        ("without", {**empty, "polygons": []}),
        ("chosen", {**empty, "polygons": ["Trees"]}),
        ("again", {"shown": "Trees", "may_be_kept": True, "polygons": ["Trees", "Trees"]}),
    ):
        told = window.of(name)
        assert {key: told[key] for key in expected} == expected, name
    assert window.of("kept")["well"] and window.of("kept")["polygons"] == ["Trees", "Trees"]
