"""What can go wrong while the environment is made; every text is meant for the map maker."""

from __future__ import annotations


class InstallationError(RuntimeError):
    """The environment could not be made; what was there before still works."""


class StepFailed(InstallationError):
    """One step failed; the text says why and what to do."""
