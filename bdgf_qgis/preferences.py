"""The plugin's settings in QGIS: one key each below `bdgf/`. No other module reads or writes them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Optional

from qgis.core import QgsSettings

from ..model.shared.jobs import CacheFolder
from .environment.installation.options import Options

_PREFIX = "bdgf/"
# Offered to choose from; others may be typed.
DEVICES = ("auto", "cpu", "cuda", "cuda:0", "cuda:1", "mps")
TORCH_BACKENDS = ("auto", "cpu", "none", "cu126", "cu128", "cu130")  # builds of PyTorch


@dataclass(frozen=True)
class Preferences(Options):
    """What the user set, with the options of the installation; the field names are the keys, as in bdgf/python.

    python       interpreter for the worker; '' takes the plugin's own environment
    device       where 'auto' computes: 'auto', 'cpu', 'cuda:1', ...
    pretrained   MiB of finished pre-trainings that are kept in the cache; 0 keeps none
    idle         minutes that a worker waits for the next run; 0 ends it with its run
    """

    python: str = ""
    device: str = "auto"
    pretrained: int = 200
    idle: int = 5

    def pretraining_cache(self, home: Path) -> Optional[CacheFolder]:
        """Where the worker keeps finished pre-trainings; None where it is to keep none.

        home  the plugin's folder in the QGIS profile
        """
        folder = os.path.abspath(self.cache_folder(home) / "pre-training")  # the worker has a working folder of its own
        return CacheFolder(folder, self.pretrained * 1024**2) if self.pretrained > 0 else None


def read_preferences() -> Preferences:
    """What is set."""
    settings = QgsSettings()
    return preferences_of({each.name: settings.value(_PREFIX + each.name) for each in fields(Preferences)})


def preferences_of(values: Mapping[str, Any]) -> Preferences:
    """Preferences from what was stored or typed, by name.

    What is empty, or no number where one is wanted, counts as not set.
    """
    chosen: dict[str, Any] = {}
    for each in fields(Preferences):
        value = values[each.name]
        if isinstance(each.default, int):
            with contextlib.suppress(TypeError, ValueError):
                chosen[each.name] = int(value)
        elif text := str(value or "").strip():
            chosen[each.name] = text
    return Preferences(**chosen)


def write_preferences(preferences: Preferences) -> None:
    """Store them; what is as by default is not stored."""
    settings = QgsSettings()
    for each in fields(Preferences):
        value = getattr(preferences, each.name)
        if value == each.default or value == "":
            settings.remove(_PREFIX + each.name)
        else:
            settings.setValue(_PREFIX + each.name, value)


def wished_device(parameter: str) -> str:
    """The device for a DEVICE parameter: where it says 'auto', what the user set for all runs."""
    return read_preferences().device if parameter.strip().lower() in ("", "auto") else parameter
