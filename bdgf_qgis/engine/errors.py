"""What can go wrong between QGIS and the worker; every text is meant for the map maker."""

from __future__ import annotations


class EngineError(RuntimeError):
    """A run could not be done."""


class EnvironmentMissing(EngineError):
    """No Python with torch is known."""


class WorkerDied(EngineError):
    """The worker process could not start, or ended without an answer."""


class BadAnswer(EngineError):
    """What the worker answered is not what it was asked for; the text goes on from 'The BDGF worker is gone: '."""


class WorkerFailed(EngineError):
    """The worker says why a job failed; `reason` is that of events.Failed."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
