"""Where the plugin's own files lie."""

from __future__ import annotations

from pathlib import Path

from qgis.PyQt.QtGui import QIcon

ROOT = Path(__file__).resolve().parents[1]


def icon() -> QIcon:
    """The plugin's icon."""
    return QIcon(str(ROOT / "resources" / "icon.svg"))


def plugin_version() -> str:
    """The version that metadata.txt states."""
    for line in (ROOT / "metadata.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("version="):
            return line.partition("=")[2].strip()
    return ""
