"""Temporary folders: made, deleted, and swept when their process is gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bdgf.bdgf_qgis.engine.worker_log import WorkerLog
from bdgf.bdgf_qgis.files.workspace import Workspace, sweep_stale
from bdgf.tests.engine.helpers import session_of, soon

PARENT = """
import sys, time
from pathlib import Path
from bdgf.bdgf_qgis.files.workspace import Workspace
from bdgf.tests.engine.helpers import fake_worker, pretrain
folder, what = Path(sys.argv[1]), sys.argv[2]
if what:
    worker = fake_worker(folder, "slow" if what == "loading" else "")
    worker.start()
    if what != "loading":
        worker.send(pretrain(what))
        while worker.next_event(1) is None or worker.next_event(1) is None:
            pass
    print(worker.process_id, flush=True)
else:
    workspace = Workspace(str(folder))
    print(0, flush=True)
time.sleep(60)
"""


def parent(folder: Path, what: str) -> tuple[subprocess.Popen[str], int]:
    """A process that plays QGIS, and its worker's process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), what], stdout=subprocess.PIPE, text=True, cwd=folder
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def folders(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_dir()]


def test_workspace_is_a_folder_of_its_own(folder: Path) -> None:
    with Workspace(str(folder)) as first, Workspace(str(folder)) as second:
        assert first.path != second.path
        assert first.path.name.startswith(f"bdgf-{os.getpid()}-")
        assert first.job_folder() != first.job_folder()
        (first.job_folder() / "array.npy").write_bytes(b"x")
    assert folders(folder) == []
    first.close()


def test_sweep_takes_folders_of_dead_processes_only(folder: Path) -> None:
    process, _ = parent(folder, "")
    foreign = [folder / "bdgf-notes", folder / "other-1-a", folder / "bdgf-1-fresh"]
    for path in foreign:
        path.mkdir()
    (folder / "bdgf-1-file").write_text("no folder")
    with Workspace(str(folder)) as mine:
        assert sweep_stale(str(folder)) == []
        kill(process)
        swept = sweep_stale(str(folder))
        assert [path.name.split("-")[1] for path in swept] == [str(process.pid)]
        assert mine.path.exists()
        assert all(path.exists() for path in foreign)
    old = time.time() - 100
    os.utime(folder / "bdgf-1-fresh", (old, old))
    assert [path.name for path in sweep_stale(str(folder))] == ["bdgf-1-fresh"]
    assert sweep_stale(str(folder / "not there")) == []


def test_worker_whose_qgis_is_gone_ends_and_clears_its_folder(folder: Path) -> None:
    process, worker = parent(folder, "wait")
    assert session_of(worker) != [] and folders(folder) != []
    kill(process)
    assert soon(lambda: session_of(worker) == [])
    assert folders(folder) == []


def test_worker_that_does_not_listen_ends_too_when_qgis_is_gone(folder: Path) -> None:
    process, worker = parent(folder, "deaf")
    assert soon(lambda: len(session_of(worker)) == 2), "the worker and its child"
    kill(process)
    assert soon(lambda: session_of(worker) == [], 8)
    assert folders(folder) == []


def test_worker_ends_where_even_its_folder_is_gone(folder: Path) -> None:
    process, worker = parent(folder, "deaf")
    shutil.rmtree(folder)
    kill(process)
    assert soon(lambda: session_of(worker) == [], 8)


def test_logs_of_failed_runs_do_not_pile_up(folder: Path) -> None:
    old = time.time() - 2 * 86400
    with Workspace(str(folder)) as workspace:
        kept = []
        for number in range(7):
            log = WorkerLog(workspace.path)
            log.path.write_text(f"run {number}")
            kept.append(log.keep())
            os.utime(kept[-1], (old + number, old + number))
        assert [path.exists() for path in kept] == [False, False, *[True] * 5]
        log.path.write_text("run 6 to its end")
        assert log.keep() == kept[-1], "one copy a run"
    assert kept[-1].read_text() == "run 6 to its end"
    assert sorted(folder.iterdir()) == sorted(kept[2:])
