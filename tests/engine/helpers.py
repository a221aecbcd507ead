"""What the tests of the engine share: jobs for the fake worker, a feedback that remembers, a look at /proc."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from bdgf.bdgf_qgis.engine.worker import Worker, WorkerCommand
from bdgf.bdgf_qgis.environment.python import PLUGIN_ROOT
from bdgf.bdgf_qgis.environment.variables import child_variables
from bdgf.bdgf_qgis.feedback import Feedback
from bdgf.bdgf_qgis.files.workspace import Workspace
from bdgf.model.shared.infos import ModalityInfo, SceneInfo
from bdgf.model.shared.jobs import ClassifyJob, PretrainJob, TileFiles, TrainJob
from bdgf.model.shared.settings import PRESETS

FAKE = Path(__file__).with_name("fake_worker.py")
TILES = TileFiles(64, "index.npy", ("first.npy",), "valid.npy")
MODALITIES = (ModalityInfo("first", ("Band 1",), "uint8"),)


def fake_start(load: str = "") -> WorkerCommand:
    command = (sys.executable, "-I", "-X", "utf8", str(FAKE), str(PLUGIN_ROOT), load)
    return WorkerCommand(command, child_variables())


def fake_worker(folder: Path, load: str = "") -> Worker:
    return Worker(fake_start(load), Workspace(str(folder)))


def pretrain(what: str, text: str = "cpu") -> PretrainJob:
    """A job of which the fake worker does `what`; `text` stands in a field of any length."""
    return PretrainJob(TILES, MODALITIES, SceneInfo("", (1.0, 1.0), (2, 2)), PRESETS["quick"], 0, text, what, "0")


def train(keep_partial: bool) -> TrainJob:
    scene = SceneInfo("", (1.0, 1.0), (2, 2))
    return TrainJob(TILES, MODALITIES, scene, (), PRESETS["quick"], 0, "cpu", "out", "0", "", keep_partial=keep_partial)


def classify(model: str = "any") -> ClassifyJob:
    return ClassifyJob(model, "cpu", False)


class Recorder(Feedback):
    """A feedback that remembers, and cancels when `cancel_when` says so."""

    def __init__(self, cancel_when: Callable[[Recorder], bool] = lambda recorder: False) -> None:
        self.began = time.monotonic()
        self.bar: list[tuple[float, float, str]] = []  # seconds, fraction, text
        self.notes: list[str] = []
        self.warnings: list[str] = []  # those among the notes
        self.cancelled_at = 0.0
        self._cancel_when = cancel_when

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def is_cancelled(self) -> bool:
        if not self.cancelled_at and self._cancel_when(self):
            self.cancelled_at = time.monotonic()
        return self.cancelled_at > 0

    def at(self, share: float, text: str = "") -> None:
        self.bar.append((self.seconds, share, text))

    def note(self, level: str, text: str) -> None:
        self.notes.append(text)
        if level == "warning":
            self.warnings.append(text)

    def check_bar(self, longest_gap: float = 0.55) -> None:
        """The bar moves on at least twice a second and never goes back."""
        times, fractions = [each[0] for each in self.bar], [each[1] for each in self.bar]
        gaps = [after - before for before, after in zip([0.0, *times], times, strict=False)]
        assert max(gaps) <= longest_gap, f"{max(gaps):.2f} s without progress"
        assert fractions == sorted(fractions)
        assert all(0 <= each <= 1 for each in fractions)


def session_of(process_id: int) -> list[str]:
    """Live processes of the session that a worker leads, as 'pid name'."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        name = text[text.index("(") + 1 : text.rindex(")")]
        state, _, _, session = text[text.rindex(")") + 2 :].split()[:4]
        if int(session) == process_id and state != "Z":
            found.append(f"{stat.parent.name} {name}")
    return found


def soon(condition: Callable[[], bool], seconds: float = 3.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
