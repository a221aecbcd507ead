"""The one place where the engine asks QGIS: for settings, and for the folder of the user's profile."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

PYTHON_KEY = "bdgf/python"
IDLE_KEY = "bdgf/idle"
IDLE_MINUTES = 5


def python_setting() -> Optional[str]:
    """The worker's Python as named in QGIS's settings; None where nothing is named."""
    from qgis.core import QgsSettings

    return str(QgsSettings().value(PYTHON_KEY, "") or "").strip() or None


def idle_minutes() -> int:
    """Minutes that a worker waits for the next run; 0 ends it with its run."""
    from qgis.core import QgsSettings

    try:
        return int(QgsSettings().value(IDLE_KEY, IDLE_MINUTES))
    except (TypeError, ValueError):
        return IDLE_MINUTES


def profile_home() -> Path:
    """The plugin's folder in the QGIS profile; it may not exist yet."""
    from qgis.core import QgsApplication

    return Path(QgsApplication.qgisSettingsDirPath()) / "bdgf"
