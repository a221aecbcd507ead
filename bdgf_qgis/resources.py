"""Where the plugin's own files lie, and its folder in the QGIS profile."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtGui import QIcon

ROOT = Path(__file__).resolve().parents[1]


def icon() -> QIcon:
    """The plugin's icon."""
    return QIcon(str(ROOT / "resources" / "icon.svg"))


def profile_home() -> Path:
    """The plugin's folder in the QGIS profile; it may not exist yet."""
    return Path(QgsApplication.qgisSettingsDirPath()) / "bdgf"


def plugin_version() -> str:
    """The version that metadata.txt states."""
    for line in (ROOT / "metadata.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("version="):
            return line.partition("=")[2].strip()
    return ""
