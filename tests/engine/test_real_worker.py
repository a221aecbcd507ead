"""The worker as it is shipped, with torch: one start in a folder with a difficult name."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.engine.block_stream import classify_blocks
from bdgf.bdgf_qgis.engine.errors import EnvironmentMissing, WorkerFailed
from bdgf.bdgf_qgis.environment.python import PLUGIN_ROOT, find_python, worker_command
from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.bdgf_qgis.workflows import session
from bdgf.bdgf_qgis.workflows.session import end_idle_worker, worker_session
from bdgf.tests.engine.helpers import Recorder, classify, session_of, soon


def test_cancel_while_torch_loads_then_two_jobs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder / "QGIS Pläne" / "bdgf-1.0"
    shutil.copytree(PLUGIN_ROOT / "model", root / "model", ignore=shutil.ignore_patterns("__pycache__"))
    python = find_python()
    monkeypatch.setattr(session, "worker_command", lambda found: worker_command(python, root))
    temporary = folder / "tmp"
    temporary.mkdir()
    with worker_session(str(temporary)) as worker:
        first = worker.process_id
        loading = Recorder(lambda recorder: recorder.seconds > 0.3)
        with pytest.raises(RunCancelled):
            classify_blocks(worker, classify("none"), lambda stopped: iter(()), 0, lambda *_: None, loading)
        assert time.monotonic() - loading.cancelled_at < 2
        assert first is not None and soon(lambda: session_of(first) == [])
        for _ in range(2):
            feedback = Recorder()
            with pytest.raises(WorkerFailed, match="The model file /not/there cannot be read") as caught:
                classify_blocks(worker, classify("/not/there"), lambda stopped: iter(()), 0, lambda *_: None, feedback)
            assert caught.value.reason == "input"
            feedback.check_bar()
        assert worker.ready is not None and worker.ready.torch[0].isdigit()
        second = worker.process_id
    with worker_session(str(temporary)) as worker:
        assert worker.process_id == second, "torch is not loaded again"
    end_idle_worker()
    assert second is not None and soon(lambda: session_of(second) == [])
    assert list(temporary.iterdir()) == []


def test_python_that_lacks_torch_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = folder / "python"  # isolated and without site-packages: no torch, no numpy
    bare.write_text(f'#!/bin/sh\nexec "{find_python().path}" -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv("BDGF_PYTHON", str(bare))
    with worker_session(str(folder)) as worker, pytest.raises(WorkerFailed, match="cannot load torch and numpy"):
        classify_blocks(worker, classify(), lambda stopped: iter(()), 0, lambda *_: None, Recorder())
    monkeypatch.setenv("BDGF_PYTHON", str(folder / "gone"))
    with pytest.raises(EnvironmentMissing, match="BDGF_PYTHON names"), worker_session(str(folder)):
        pass
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []
