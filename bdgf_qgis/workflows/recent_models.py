"""The model files that were written last, to be offered where one is asked for."""

from __future__ import annotations

import os

from qgis.core import QgsSettings

_KEY = "bdgf_recent/"
_MOST = 10
TRAINED, PRETRAINED = "trained", "pretrained"


def recent_models(kind: str) -> list[str]:
    """Paths of the files of a kind (TRAINED or PRETRAINED) that are still there, the newest first."""
    return [path for path in _remembered(kind) if os.path.isfile(path)]


def remember_model(kind: str, path: str) -> None:
    """A model was written."""
    path = os.path.abspath(path)
    others = [each for each in _remembered(kind) if each != path]
    QgsSettings().setValue(_KEY + kind, [path, *others][:_MOST])


def _remembered(kind: str) -> list[str]:
    value = QgsSettings().value(_KEY + kind)
    return [value] if isinstance(value, str) and value else [each for each in value or [] if isinstance(each, str)]
