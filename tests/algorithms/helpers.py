"""What the tests of the algorithms share: a feedback that remembers, runs through Processing, looks at what is left."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import processing
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)

QUICK = {"PRESET": "quick", "PRETRAIN_STEPS": 2, "STEPS": 5, "DEVICE": "cpu"}


class Log(QgsProcessingFeedback):
    """Remembers what a run says, and when; `hear` is called with each new text of the bar."""

    def __init__(self, hear: Callable[[Log, str], None] = lambda log, text: None) -> None:
        super().__init__(False)
        self.texts: list[tuple[float, str]] = []
        self.infos: list[str] = []
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self.bar: list[tuple[float, float]] = []  # seconds, percent
        self.cancelled_at = 0.0
        self._hear = hear
        self._began = time.monotonic()
        self.progressChanged.connect(lambda percent: self.bar.append((time.monotonic() - self._began, percent)))

    def setProgressText(self, text: str) -> None:
        self.texts.append((time.monotonic() - self._began, text))
        self._hear(self, text)

    def pushInfo(self, text: str) -> None:
        self.infos.append(text)

    def pushWarning(self, text: str) -> None:
        self.warnings.append(text)

    def reportError(self, error: str, fatalError: bool = False) -> None:
        self.errors.append(error)

    def cancel_now(self) -> None:
        """What the button does; called in any thread."""
        self.cancelled_at = time.monotonic()
        self.cancel()

    @property
    def warned(self) -> str:
        return "\n".join(self.warnings)

    @property
    def told(self) -> str:
        return "\n".join(self.infos)


@dataclass(frozen=True)
class Scene:
    """A demo scene of 120 x 120 pixels."""

    folder: Path
    optical: str
    dsm: str
    training: str
    validation: str
    truth: str

    @property
    def rasters(self) -> list[str]:
        return [self.optical, self.dsm]


@dataclass(frozen=True)
class Trained:
    """A training that some tests share."""

    model: str
    report: Path
    results: dict[str, Any]
    log: Log


def run(
    name: str, parameters: dict[str, Any], log: Log | None = None, context: QgsProcessingContext | None = None
) -> dict[str, Any]:
    """Run an algorithm of the provider as the toolbox does."""
    results: dict[str, Any] = processing.run(f"bdgf:{name}", parameters, feedback=log or Log(), context=context)
    return results


def refused(name: str, parameters: dict[str, Any], log: Log | None = None) -> str:
    """What an algorithm says that must not succeed.

    What is found before a run reaches the user by the log, as QGIS has it. Only the text outlives this function:
    QGIS's objects in the frames of an error must not outlive QGIS.
    """
    log = log or Log()
    try:
        results = run(name, parameters, log)
    except QgsProcessingException as error:
        return "\n".join([str(error), *log.errors])
    raise AssertionError(f"{name} was not refused: {results}")


def algorithm(name: str) -> Any:
    found = QgsApplication.processingRegistry().algorithmById(f"bdgf:{name}")
    assert found is not None, name
    return found


def project_layer(source: str, edit: Callable[[QgsVectorLayer], None] = lambda layer: None) -> QgsVectorLayer:
    """A layer in the project of the first table of a file, changed by `edit`; the project owns and ends it."""
    layer = QgsVectorLayer(source, "my samples", "ogr")
    assert layer.isValid(), source
    QgsProject.instance().addMapLayer(layer)
    edit(layer)
    return layer


def listing(folder: Path) -> dict[str, str]:
    """Every file and folder below a folder, with a hash of the files' content.

    QGIS itself changes a mark in a GeoPackage that it opens, and keeps notes beside it and beside rasters.
    """
    return {
        path.relative_to(folder).as_posix(): _content(path)
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith((".gpkg-wal", ".gpkg-shm", ".aux.xml"))
    }


def _content(path: Path) -> str:
    if path.is_dir() or path.suffix == ".gpkg":
        return "there"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def changes(folder: Path, before: dict[str, str]) -> list[str]:
    """What has come, gone or changed below a folder since listing() gave `before`."""
    after = listing(folder)
    return sorted(each for each in before.keys() | after.keys() if before.get(each) != after.get(each))


def children() -> list[str]:
    """Live processes that descend from this one, as 'pid name'."""
    parents: dict[int, tuple[int, str, str]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        name = text[text.index("(") + 1 : text.rindex(")")]
        state, parent = text[text.rindex(")") + 2 :].split()[:2]
        parents[int(stat.parent.name)] = int(parent), name, state
    own = {_self()}
    while True:
        more = {pid for pid, (parent, _, _) in parents.items() if parent in own} - own
        if not more:
            break
        own |= more
    return [f"{pid} {parents[pid][1]}" for pid in sorted(own - {_self()}) if parents[pid][2] != "Z"]


def _self() -> int:
    return int(Path("/proc/self").resolve().name)


def worker_id() -> int:
    """Process id of the one worker that runs."""
    found = [int(each.split()[0]) for each in children()]
    assert found
    return found[0]


def run_folders() -> set[str]:
    """Temporary folders of runs that this process holds."""
    return {path.name for path in Path(tempfile.gettempdir()).glob(f"bdgf-{_self()}-*")}


def kept_logs(said: str) -> list[Path]:
    """The logs that a message names, each once."""
    words = dict.fromkeys(word.rstrip(".") for word in said.split())
    return [Path(word) for word in words if word.endswith(".log") and Path(word).is_file()]
