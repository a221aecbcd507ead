"""Measures rows that are not there yet, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from bdgf.bdgf_qgis.engine.errors import EngineError
from bdgf.bdgf_qgis.engine.worker import Worker
from bdgf.bdgf_qgis.files.errors import FileError
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.workflows.session import worker_session
from bdgf.model.shared.settings import PRESETS
from bdgf.tests.benchmarks.accuracy.baselines import run_baseline
from bdgf.tests.benchmarks.accuracy.bdgf_row import BdgfRunner, code_state
from bdgf.tests.benchmarks.accuracy.draws import hold_out, scarce
from bdgf.tests.benchmarks.accuracy.parts import with_part
from bdgf.tests.benchmarks.accuracy.rows import BDGF, Measured, Row, RowStore
from bdgf.tests.benchmarks.accuracy.scene import Samples, Scene, SceneError
from bdgf.tests.benchmarks.accuracy.validation_log import ValidationLog


@dataclass
class Bench:
    """Where and on what rows are measured.

    device  of BDGF, as jobs name it
    out     folder of rows, of pre-trained models and of the log
    log     of the uses of validation polygons
    say     told one line a row
    """

    device: str
    out: Path
    log: ValidationLog
    say: Callable[[str], None] = print

    def __post_init__(self) -> None:
        self.store = RowStore(self.out / "rows")

    def measure(self, scene: Scene, rows: Sequence[Row]) -> int:
        """Measure the rows of a scene that have no file yet; returns how many failed.

        Only rows that are `final` have the validation polygons opened, once, and logged.
        """
        wanted = [each for each in rows if each not in self.store]
        self.say(f"{scene.name}: {len(rows) - len(wanted)} rows are there, {len(wanted)} to measure")
        final = [each.name for each in wanted if each.final]
        validation = scene.validation_samples(self.log, final) if final else None
        failed = 0
        with _session(self.device, self.out, any(each.method == BDGF for each in wanted)) as (runner, place):
            for number, row in enumerate(wanted, 1):
                try:
                    measured = self._measured(scene, row, validation, runner, place)
                except (EngineError, FileError, RasterError, SceneError) as error:
                    failed += 1
                    self.say(f"{row.name} failed: {error}")
                    continue
                self.store.put(measured)
                self.say(f"[{number}/{len(wanted)}] {_line(measured)}")
        return failed

    def _measured(
        self, scene: Scene, row: Row, validation: Samples | None, runner: BdgfRunner | None, place: str
    ) -> Measured:
        training = scene.training_samples()
        if validation is not None and row.final:
            reference = validation
        else:
            training, reference = hold_out(training, row.draw)
        date = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M")
        notes = {"date": date, "code": runner.code if runner else code_state(), "device": place}
        grid = scene.sources()[0]  # also for a row without this raster, so that pixels are the same
        with open_stack(scene.sources(row.modalities), grid) as stack:
            notes["modalities"] = ", ".join(each.name for each in stack.modalities)
            training = scarce(training, row.labels, row.draw, stack)
            if row.method != BDGF:
                found = run_baseline(row.method, stack, training, reference, row.seed, row.epochs)
                return Measured(row, found.figures, found.seconds, found.mapped, notes=notes)
            assert runner is not None
            settings = with_part(PRESETS[row.preset].with_steps(row.pretrain_steps, row.steps), row.part)
            done = runner.run(stack, training, reference, settings, row.seed)
            return Measured(row, done.figures, done.seconds, done.mapped, asdict(settings), done.curves, notes)


@contextmanager
def _session(device: str, out: Path, wanted: bool) -> Iterator[tuple[BdgfRunner | None, str]]:
    """What runs BDGF, with torch loaded, and where that is; nothing where no row is BDGF's."""
    if not wanted:
        yield None, "cpu"
        return
    with worker_session() as worker:
        place = _place(worker, device)
        yield BdgfRunner(worker, device, out / "pretrained"), place


def _place(worker: Worker, device: str) -> str:
    while worker.ready is None:  # so that loading torch is in no row's seconds
        worker.next_event(1.0)
    return f"{device}, torch {worker.ready.torch}"


def _line(measured: Measured) -> str:
    figures = measured.figures
    ece = "" if figures.ece is None else f" ECE {figures.ece:.3f}"
    seconds = ", ".join(f"{name} {each:.0f} s" for name, each in measured.seconds.items())
    told = f"OA {figures.overall:.4f} AA {figures.average:.4f} kappa {figures.kappa:.4f}{ece}; {seconds}"
    return f"{measured.row.name.rpartition('--')[0]}: {told}"
