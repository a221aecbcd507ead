"""One step of the installation: silence is told and has an end, and what it prints can be shown."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.environment.installation import runner as module
from bdgf.bdgf_qgis.environment.installation.errors import StepFailed
from bdgf.bdgf_qgis.environment.installation.install_log import InstallLog
from bdgf.bdgf_qgis.environment.installation.runner import StepRunner
from bdgf.bdgf_qgis.environment.installation.steps import Step
from bdgf.tests.engine.helpers import Recorder


@pytest.fixture
def feedback() -> Recorder:
    return Recorder(lambda recorder: recorder.seconds > 10)


def run(folder: Path, feedback: Recorder, program: str) -> list[str]:
    log = InstallLog(folder, ())
    try:
        step = Step("Fetching", (sys.executable, "-c", program), 1)
        return StepRunner(folder, os.environ, log, feedback).run(step, 0.0, 1.0)
    finally:
        log.close()


def test_a_step_that_prints_nothing_is_warned_of_and_ended(
    tmp_path: Path, feedback: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_QUIET", 0.5)
    monkeypatch.setattr(module, "_QUIET_END", 1.5)
    with pytest.raises(StepFailed, match=r"^Fetching failed: process \d+ printed nothing for 2 s and was ended"):
        run(tmp_path, feedback, "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    (warning,) = feedback.notes
    assert "cancel and run it again" in warning


def test_lines_are_plain_and_bounded(tmp_path: Path, feedback: Recorder) -> None:
    lines = run(tmp_path, feedback, "print('a\\x1b[31m\\x07b'); print('x' * 200_000)")
    assert lines[0] == "a b" and max(map(len, lines)) <= 4_096
