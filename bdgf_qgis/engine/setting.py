"""The one place where the engine asks QGIS for a setting."""

from __future__ import annotations

from typing import Optional

PYTHON_KEY = "bdgf/python"


def python_setting() -> Optional[str]:
    """The worker's Python as named in QGIS's settings; None where nothing is named."""
    from qgis.core import QgsSettings

    return str(QgsSettings().value(PYTHON_KEY, "") or "").strip() or None
