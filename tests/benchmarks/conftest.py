"""Benchmarks run real workers in this process: none may wait on for the tests that follow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bdgf.bdgf_qgis.workflows.session import end_idle_worker


@pytest.fixture(autouse=True)
def no_worker_waits() -> Iterator[None]:
    yield
    end_idle_worker()
