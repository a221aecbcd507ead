"""Who looks at validation polygons is seen: each use is written down before the file is opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

_HEADING = """# Uses of the validation polygons

Settings are chosen on hold-outs taken from training polygons. Each run of `python -m tests.benchmarks.accuracy --final`
that opened the validation polygons of a scene is a line here; the command writes it.

| date (UTC) | scene | rows |
| --- | --- | --- |
"""


class ValidationLog:
    """Appends one line a use to a log with all rows, and one to a Markdown table with their number and kinds."""

    def __init__(self, log: Path, table: Path) -> None:
        self._log = log
        self._table = table

    def record(self, scene: str, rows: Sequence[str]) -> None:
        """A use of a scene's validation polygons for some rows."""
        date = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M")
        for path in (self._log, self._table):
            path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._log, "a", encoding="utf-8") as file:
            file.write(f"{date}\t{scene}\t{' '.join(rows)}\n")
        if not self._table.exists():
            self._table.write_text(_HEADING, encoding="utf-8")
        with open(self._table, "a", encoding="utf-8") as file:
            file.write(f"| {date} | {scene} | {_summary(rows)} |\n")


def _summary(rows: Sequence[str]) -> str:
    """How many rows of which kind: what stands between scene and seed in their names."""
    kinds = dict.fromkeys(each.split("--")[1] if each.count("--") > 1 else each for each in rows)
    return f"{len(rows)}: {', '.join(kinds)}"
