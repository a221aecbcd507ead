"""Styles that travel in a GeoPackage as the default of their layer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Callable

from qgis.core import QgsVectorLayer

from ..translation import tr


def store_style(path: Path, table: str, apply: Callable[[QgsVectorLayer], None]) -> str:
    """Store what `apply` does to the layer of a table as its default; returns why it failed, '' where it did not."""
    layer = QgsVectorLayer(f"{path}|layername={table}", table, "ogr")
    if not layer.isValid():
        return tr("the new file cannot be opened")
    apply(layer)
    problem = str(layer.saveStyleToDatabase(table, tr("Classes of BDGF"), True, "") or "")
    del layer
    with closing(sqlite3.connect(str(path))) as connection:  # QGIS leaves a mode that needs two files more to be read
        connection.execute("PRAGMA journal_mode = DELETE")
    return problem
