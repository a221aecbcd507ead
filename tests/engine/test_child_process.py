"""Short questions to other programs."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bdgf.bdgf_qgis.engine.child_process import output_of
from bdgf.tests.engine.helpers import soon


def test_an_answer_is_what_a_command_prints() -> None:
    assert output_of(["sh", "-c", "cat; echo grün; echo not this >&2; exit 3"], os.environ, 10.0) == "grün\n"
    assert output_of(["/nowhere/program"], os.environ, 10.0) is None


def test_one_that_takes_too_long_is_left_with_none_of_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    began = time.monotonic()
    assert output_of(["sh", "-c", f"sleep 60 & echo $! > '{child}'; wait"], os.environ, 0.5) is None
    assert time.monotonic() - began < 3
    status = Path(f"/proc/{child.read_text().strip()}/stat")
    assert soon(lambda: not status.exists() or ") Z " in status.read_text())
