"""Runs under way and algorithms that QGIS still has: what switching the plugin off must end or let go of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from qgis.core import QgsProcessingAlgorithm, QgsProcessingException, QgsProcessingFeedback
from qgis.PyQt import sip

from ..translation import tr
from ..workflows.session import end_idle_worker


class Runs:
    """For several threads. QGIS loads a plugin anew with all its modules; where it keeps them, they are switched on."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: dict[int, tuple[int, QgsProcessingFeedback]] = {}  # thread and feedback by their number
        self._begun = 0
        self._off = False
        self._algorithms: WeakSet[Any] = WeakSet()

    def made(self, algorithm: QgsProcessingAlgorithm) -> None:
        """An algorithm of the plugin's; QGIS keeps it as long as a dialog, a task or a model has it."""
        with self._changed:
            self._algorithms.add(algorithm)

    def check(self) -> None:
        """Raise QgsProcessingException where the plugin was switched off: its provider and its worker are gone."""
        if self._off:
            raise QgsProcessingException(
                tr("BDGF was switched off or loaded anew since this was opened: close it and open it again.")
            )

    @contextmanager
    def under_way(self, feedback: QgsProcessingFeedback) -> Iterator[None]:
        """A part of a run in this thread. Raises QgsProcessingException where the plugin was switched off before."""
        with self._changed:
            self.check()
            self._begun += 1
            number = self._begun
            self._under_way[number] = threading.get_ident(), feedback
        try:
            yield
        finally:
            if self._off:
                end_idle_worker()
            with self._changed:
                del self._under_way[number]
                self._changed.notify_all()

    def switch_on(self) -> None:
        """Let runs begin."""
        self._off = False

    def switch_off(self, seconds: float) -> int:
        """Cancel all runs, wait at most `seconds` for their end, and cut algorithms off the provider, which then goes.

        Returns how many runs were cancelled.
        """
        with self._changed:
            self._off = True
            cancelled = list(self._under_way.values())
            for _, feedback in cancelled:
                feedback.cancel()
            self._changed.wait_for(self._others_are_over, seconds)
            for made in self._algorithms:
                if not sip.isdeleted(made):
                    made.setProvider(None)  # QGIS asks it for the provider's name long after the provider is deleted
        return len(cancelled)

    def _others_are_over(self) -> bool:
        """A run in this thread waits for us: QGIS's window lives on inside of it."""
        return all(thread == threading.get_ident() for thread, _ in self._under_way.values())


runs = Runs()  # one for the process, as QGIS runs algorithms in any thread
