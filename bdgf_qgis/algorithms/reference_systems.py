"""Reference systems that a run meets first: none may outlive the thread in which QGIS made it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform
from qgis.PyQt.QtCore import QCoreApplication, QThread


@contextmanager
def own_reference_systems() -> Iterator[None]:
    """Leaves in QGIS's caches nothing that was made in a thread of its pool.

    QGIS hands a cached reference system to whoever asks next, but its PROJ object goes with the thread that made it,
    half a minute after that thread's last task: every layer of that system, and the project, would then have none.
    """
    try:
        yield
    finally:
        application = QCoreApplication.instance()
        if application is None or QThread.currentThread() != application.thread():
            QgsCoordinateTransform.invalidateCache()
            QgsCoordinateReferenceSystem.invalidateCache()
