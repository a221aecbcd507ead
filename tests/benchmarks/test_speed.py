"""The speed benchmark on a small scene for a moment: every figure is there, and the tables find their place."""

from __future__ import annotations

import json

from bdgf.tests.benchmarks.speed.__main__ import main
from bdgf.tests.benchmarks.speed.report import with_tables


def test_everything_is_measured_and_told(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# How fast it is\n\n## Older\n", encoding="utf-8")
    given = ["--preset", "quick", "--side", "130", "--rounds", "1", "--seconds", "0.1"]
    assert main([*given, "--out", str(tmp_path), "--docs", str(page)]) == 0
    measured = json.loads((tmp_path / "speed.json").read_text())
    quick = measured["presets"]["quick"]
    (run,), (bare,) = quick["end_to_end"]["130"], quick["bare"]
    assert run["pixels"] == 130 * 130 and run["seconds"] > 0
    assert 50 < run["qgis"] < 3000 and 100 < run["worker"] < 3000
    assert min(bare["dense"].values()) > 0 and min(bare["patches"].values()) > 0 and bare["roof"] > 1e9
    assert max(bare["dense"].values()) > 5 * max(bare["patches"].values())
    parts = {name: cost for name, cost in bare["work"].items() if name != "whole"}
    assert len(parts) == 7 and 0.9 < sum(parts.values()) / bare["work"]["whole"] <= 1
    assert measured["forest"] > 0
    text = page.read_text(encoding="utf-8")
    assert "| quick | 1 |" in text and text.startswith("# How fast it is")


def test_tables_replace_tables_and_nothing_else():
    page = with_tables("# Title\n\nWords.\n", "one")
    again = with_tables(page + "\n## After\n", "two")
    assert "one" not in again and "two" in again
    assert again.startswith("# Title\n\nWords.\n") and again.endswith("\n\n## After\n")
    assert with_tables(again, "two") == again and page.endswith("-->\n")
