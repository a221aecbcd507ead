"""The one place where the engine asks QGIS: for a setting, and for the folder of the user's profile."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

PYTHON_KEY = "bdgf/python"


def python_setting() -> Optional[str]:
    """The worker's Python as named in QGIS's settings; None where nothing is named."""
    from qgis.core import QgsSettings

    return str(QgsSettings().value(PYTHON_KEY, "") or "").strip() or None


def profile_home() -> Path:
    """The plugin's folder in the QGIS profile; it may not exist yet."""
    from qgis.core import QgsApplication

    return Path(QgsApplication.qgisSettingsDirPath()) / "bdgf"
