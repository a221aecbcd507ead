"""A round: Train, then Classify, as tasks in the background; the map takes the place of the round's before it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from qgis.core import (
    QgsApplication,
    QgsMapLayer,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ....model.shared.rebuild import rebuild, rebuildable
from ....model.shared.strict_json import parse
from ...style.result_group import show_in_group
from ...translation import tr
from ...workflows.default_places import MAP_PLACE, MODEL_PLACE, free_place, project_folder

_SCOPE, _ROUNDS, _SHOWN = "bdgf", "dock/rounds", "dock/map"
_MOST = 20  # rounds that the project remembers
_TRAINED = 80.0  # percent of the bar


@rebuildable
@dataclass(frozen=True)
class Round:
    """What a round came to.

    time      when it ended, ISO 8601 to the minute
    preset    of its training
    overall   overall accuracy on held-out polygons, 0..1; None without any
    model, map, report  paths of its results
    """

    time: str
    preset: str
    overall: Optional[float]
    model: str
    map: str
    report: str


class _Feedback(QgsProcessingFeedback):
    """Tells what a run says, which runs in another thread; remembers the last error."""

    said = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__(False)
        self.error = ""

    def setProgressText(self, text: str) -> None:
        """Of the bar."""
        self.said.emit(text)

    def reportError(self, error: str, fatalError: bool = False) -> None:
        """Of the log; why a run ended comes last."""
        self.error = error


class Rounds(QObject):
    """Runs one round at a time; in the main thread.

    progressed(percent, text); ended(well, sentence); changed(): the history has one more
    """

    progressed = pyqtSignal(float, str)
    ended = pyqtSignal(bool, str)
    changed = pyqtSignal()

    def __init__(self, project: QgsProject, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._project = project
        self._feedback: Optional[_Feedback] = None
        self._alive: list[Any] = []  # what the task under way uses
        self._preset = ""
        self._layers: list[str] = []
        self._trained: dict[str, Any] = {}
        self._percent, self._text = 0.0, ""
        project.readProject.connect(self.changed)
        project.cleared.connect(self.changed)

    @property
    def running(self) -> bool:
        """Whether a round is under way."""
        return self._feedback is not None

    @property
    def history(self) -> tuple[Round, ...]:
        """Rounds that the project remembers; the last one first."""
        try:
            return rebuild(tuple[Round, ...], parse(self._project.readEntry(_SCOPE, _ROUNDS, "[]")[0]))
        except ValueError:
            return ()

    def start(self, rasters: Sequence[QgsRasterLayer], samples: QgsVectorLayer, field: str, preset: str) -> None:
        """Train on the samples as they stand, edits that are not saved among them, then map all of the rasters."""
        self._preset, self._layers = preset, [layer.id() for layer in rasters]
        model = free_place(MODEL_PLACE, rasters[0].name(), project_folder(self._project))
        parameters = {
            "MODALITIES": self._layers,
            "SAMPLES": samples.id(),
            "CLASS_FIELD": field,
            "PRESET": preset,
            "MODEL": str(model),
            "REPORT": str(model.with_suffix(".html")),
        }
        self._percent = 0.0
        self._run("train", parameters, self._on_trained)

    def cancel(self) -> None:
        """End the round that is under way, if any; what it had not finished leaves nothing."""
        if self._feedback is not None:
            self._feedback.cancel()

    def show(self, done: Round) -> Optional[QgsMapLayer]:
        """Load the map of a round, in the place of the one before. None where its file is gone."""
        layer = QgsRasterLayer(done.map, tr("Land cover, {preset}, {time}").format(preset=done.preset, time=done.time))
        if not layer.isValid():
            return None
        before = self._project.readEntry(_SCOPE, _SHOWN)[0]
        show_in_group(self._project, layer, tr("BDGF"), before)
        self._project.writeEntry(_SCOPE, _SHOWN, layer.id())
        return layer

    def close(self) -> None:
        """Cancel what runs and hear nothing more."""
        self.cancel()
        self._feedback = None
        self._alive.clear()
        self._project.readProject.disconnect(self.changed)
        self._project.cleared.disconnect(self.changed)

    def _run(self, name: str, parameters: dict[str, Any], then: Any) -> None:
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"bdgf:{name}")
        context = QgsProcessingContext()
        context.setProject(self._project)
        context.setTransformContext(self._project.transformContext())
        self._feedback = feedback = _Feedback()
        fine, problem = algorithm.checkParameterValues(parameters, context)
        if not fine:
            self._end(False, problem)
            return
        feedback.progressChanged.connect(self._progressed)
        feedback.said.connect(self._said)
        task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
        task.executed.connect(lambda well, results: then(well, results) if self._feedback is feedback else None)
        self._alive = [algorithm, context, feedback, task]
        QgsApplication.taskManager().addTask(task)

    def _progressed(self, percent: float) -> None:
        first, last = (_TRAINED, 100.0) if self._trained else (0.0, _TRAINED)
        self._percent = first + (last - first) * percent / 100
        self.progressed.emit(self._percent, self._text)

    def _said(self, text: str) -> None:
        self._text = text
        self.progressed.emit(self._percent, text)

    def _on_trained(self, well: bool, results: dict[str, Any]) -> None:
        if not well:
            self._end(False, self._reason())
            return
        self._trained = results
        model = str(results["MODEL"])
        place = free_place(MAP_PLACE, Path(model).stem.partition(" 20")[0], project_folder(self._project))
        layers = [layer_id for layer_id in self._layers if self._project.mapLayer(layer_id) is not None]
        place.parent.mkdir(parents=True, exist_ok=True)
        self._run("classify", {"MODEL": model, "MODALITIES": layers, "OUTPUT": str(place)}, self._on_mapped)

    def _on_mapped(self, well: bool, results: dict[str, Any]) -> None:
        if not well:
            self._end(False, self._reason())
            return
        time = datetime.datetime.now().isoformat(sep=" ", timespec="minutes")
        trained = self._trained
        overall = trained.get("OVERALL_ACCURACY")
        done = Round(
            time, self._preset, overall, str(trained["MODEL"]), str(results["OUTPUT"]), str(trained.get("REPORT") or "")
        )
        entries = [asdict(one) for one in (done, *self.history)][:_MOST]
        self._project.writeEntry(_SCOPE, _ROUNDS, json.dumps(entries))
        self.show(done)
        self.changed.emit()
        said = tr("The map is there.") if overall is None else tr("The map is there; overall accuracy {overall:.0%}.")
        self._end(True, said.format(overall=overall))

    def _reason(self) -> str:
        """Why the run under way ended."""
        feedback = self._feedback
        if feedback is None or feedback.isCanceled():
            return tr("The round was cancelled.")
        return feedback.error or tr("The round ended without a map; the log panel has more, under Processing.")

    def _end(self, well: bool, text: str) -> None:
        self._feedback = None
        self._alive.clear()
        self._trained, self._text = {}, ""
        self.ended.emit(well, text)
