"""A worker of the test's own, of which nothing may be left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.engine.worker import Worker
from bdgf.tests.engine.helpers import fake_worker, session_of, soon


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A temporary folder with a difficult name."""
    path = tmp_path / "Übung mit Leerzeichen 测试"
    path.mkdir()
    return path


@pytest.fixture
def workers(folder: Path) -> Iterator[Callable[[str], Worker]]:
    """Makes fake workers; at the end each is stopped, and no process, thread or folder of it may be left."""
    made: list[Worker] = []
    ids: list[int] = []

    def make(load: str = "") -> Worker:
        worker = fake_worker(folder, load)
        start = worker.start

        def noted() -> None:
            start()
            if worker.process_id is not None:
                ids.append(worker.process_id)

        worker.start = noted  # type: ignore[method-assign]
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.close()
    assert soon(lambda: not [each for number in ids for each in session_of(number)])
    assert soon(lambda: not [each for each in threading.enumerate() if each.name.startswith("bdgf-")])
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".log")] == []
