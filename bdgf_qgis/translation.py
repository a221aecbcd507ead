"""The one translation context of the plugin."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication

CONTEXT = "BDGF"


def tr(text: str) -> str:
    """The text in the user's language."""
    return str(QCoreApplication.translate(CONTEXT, text))
