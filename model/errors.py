"""What can end a job early."""

from __future__ import annotations


class InputError(ValueError):
    """Rasters, samples or settings cannot be used; the text goes to the map maker as it stands."""


class JobCancelled(Exception):
    """QGIS asked to stop, or is gone: let it pass through, cleaning up on the way."""
