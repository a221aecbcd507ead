"""The plugin's settings in QGIS: one key each below `bdgf/`. No other module reads or writes them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from qgis.core import QgsSettings

from .environment.installation.options import Options
from .resources import profile_home

_PREFIX = "bdgf/"
DEVICES = ("auto", "cpu", "cuda", "cuda:0", "cuda:1", "mps")  # offered to choose from; others may be typed


@dataclass(frozen=True)
class Preferences:
    """What the user set; the field names are the keys, as in bdgf/python.

    python       interpreter for the worker; '' takes the plugin's own environment
    device       where 'auto' computes: 'auto', 'cpu', 'cuda:1', ...
    cache        folder for downloads and other files that can be made again; '' takes one in the profile
    idle         minutes that a worker waits for the next run; 0 ends it with its run
    uv, base_python, torch_backend, index, links, mirror  see installation.options
    """

    python: str = ""
    device: str = "auto"
    cache: str = ""
    idle: int = 5
    uv: str = ""
    base_python: str = ""
    torch_backend: str = "auto"
    index: str = ""
    links: str = ""
    mirror: str = ""

    @property
    def cache_folder(self) -> Path:
        """The folder for files that can be made again; all in it is the plugin's and may be deleted."""
        return Path(self.cache) / "bdgf-cache" if self.cache else profile_home() / "cache"

    @property
    def options(self) -> Options:
        """Those of the installation."""
        given = {each.name: getattr(self, each.name) for each in fields(Options)}
        return Options(**{**given, "cache": str(self.cache_folder)})


def read_preferences() -> Preferences:
    """What is set; a value that is no number where one is wanted counts as not set."""
    settings, found = QgsSettings(), Preferences()
    for each in fields(Preferences):
        default = getattr(found, each.name)
        value: Any = settings.value(_PREFIX + each.name, default)
        if isinstance(default, int):
            try:
                value = int(value)
            except (TypeError, ValueError):
                value = default
        else:
            value = str(value or "").strip() or default
        found = replace(found, **{each.name: value})
    return found


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
