"""BDGF the way a user's run goes: tiles and labels of the QGIS side, the real worker, the map, `assess`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bdgf.bdgf_qgis.engine.block_stream import Stopped, classify_blocks
from bdgf.bdgf_qgis.engine.run import run_job
from bdgf.bdgf_qgis.engine.worker import Worker
from bdgf.bdgf_qgis.feedback import Feedback
from bdgf.bdgf_qgis.raster.grid import Window
from bdgf.bdgf_qgis.raster.output.metadata import class_type_and_nodata, codes_at
from bdgf.bdgf_qgis.raster.output.outputs import OutputRaster
from bdgf.bdgf_qgis.raster.reading.blocks import plan_blocks, write_block
from bdgf.bdgf_qgis.raster.reading.raster import describe
from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack
from bdgf.bdgf_qgis.raster.samples.assessment import confusion_of
from bdgf.bdgf_qgis.raster.samples.labels import Labels, rasterise_labels
from bdgf.bdgf_qgis.raster.samples.tiles import copy_tiles
from bdgf.model.shared.events import Curve, Pretrained, Trained
from bdgf.model.shared.header import read_header
from bdgf.model.shared.infos import ClassInfo
from bdgf.model.shared.jobs import Block, ClassifyJob, PretrainJob, TrainJob
from bdgf.model.shared.settings import Settings
from bdgf.tests.benchmarks.accuracy.figures import (
    Figures,
    Reference,
    calibration_error,
    figures_of,
    reference_of,
)
from bdgf.tests.benchmarks.accuracy.scene import CLASS_FIELD, Samples

ROOT = Path(__file__).resolve().parents[3]
VERSION = "accuracy harness"
Curves = dict[str, tuple[tuple[float, ...], tuple[float, ...]]]


@dataclass(frozen=True)
class BdgfResult:
    """Figures, seconds of each step, number of classified pixels, and what pre-training and training logged."""

    figures: Figures
    seconds: dict[str, float]
    mapped: int
    curves: Curves


class Quiet(Feedback):
    """A run's feedback without a user; keeps warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def note(self, level: str, text: str) -> None:
        """Keep warnings."""
        if level == "warning":
            self.warnings.append(text)


def code_state() -> str:
    """A hash of the code that figures depend on."""
    digest = hashlib.sha256()
    for folder in ("model", "bdgf_qgis/raster"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


class BdgfRunner:
    """Trains and measures with one worker; pre-trained models are kept in a folder and shared between rows.

    Args:
        worker: a worker process.
        device: as jobs name it.
        cache: folder of pre-trained models.
    """

    def __init__(self, worker: Worker, device: str, cache: Path) -> None:
        self._worker = worker
        self._device = device
        self._cache = cache
        self.code = code_state()  # the worker keeps to what it has loaded
        cache.mkdir(parents=True, exist_ok=True)

    def run(
        self, stack: ModalityStack, training: Samples, reference: Samples, settings: Settings, seed: int
    ) -> BdgfResult:
        """Train on all training samples (HOLDOUT 0), map the scene, assess the map with the reference.

        Raises EngineError, FileError or RasterError as a run in QGIS does.
        """
        labels = rasterise_labels(stack, training.polygons, training.crs_wkt, CLASS_FIELD, 0.0, seed)
        pretrained, pretrain_seconds, curves = self.pretrained(stack, settings, seed)
        folder = self._worker.workspace.job_folder()
        start = time.monotonic()
        job = TrainJob(
            tiles=copy_tiles(stack, labels, folder, seed=seed),
            modalities=stack.info(),
            scene=stack.scene_info(),
            classes=_classes(labels),
            settings=settings,
            seed=seed,
            device=self._device,
            output=str(folder / "model.safetensors"),
            plugin_version=VERSION,
            samples_hash=labels.digest,
            pretrained=str(pretrained),
        )
        trained = run_job(self._worker, job, Quiet())
        assert isinstance(trained, Trained), trained
        train_seconds = time.monotonic() - start
        start = time.monotonic()
        scene_map = self._map(stack, Path(job.output), folder)
        classify_seconds = time.monotonic() - start
        figures = _assessed(scene_map, reference, reference_of(stack, reference))
        shutil.rmtree(folder, ignore_errors=True)
        seconds = {"pretrain": pretrain_seconds, "train": train_seconds, "classify": classify_seconds}
        return BdgfResult(figures, seconds, scene_map.pixels, curves | _series(trained.curves))

    def pretrained(self, stack: ModalityStack, settings: Settings, seed: int) -> tuple[Path, float, Curves]:
        """A pre-trained model of this scene, made where it is not there yet; its seconds and curves."""
        sources = [each.raster.path for each in stack.modalities]
        what = [sources, asdict(settings.diffusion), settings.components, seed, self._device]
        key = hashlib.sha256(json.dumps([what, self.code]).encode()).hexdigest()[:16]
        model, record = self._cache / f"{key}.safetensors", self._cache / f"{key}.json"
        if not (model.exists() and record.exists()):
            folder = self._worker.workspace.job_folder()
            start = time.monotonic()
            job = PretrainJob(
                tiles=copy_tiles(stack, None, folder, seed=seed),
                modalities=stack.info(),
                scene=stack.scene_info(),
                settings=settings,
                seed=seed,
                device=self._device,
                output=str(folder / "model.safetensors"),
                plugin_version=VERSION,
            )
            done = run_job(self._worker, job, Quiet())
            assert isinstance(done, Pretrained), done
            told = {"seconds": time.monotonic() - start, "curves": _series(done.curves)}
            draft = self._cache / f"{key}.{os.getpid()}.part"
            shutil.move(job.output, draft)
            os.replace(draft, model)
            draft.write_text(json.dumps(told), encoding="utf-8")
            os.replace(draft, record)
            shutil.rmtree(folder, ignore_errors=True)
        told = json.loads(record.read_text(encoding="utf-8"))
        return model, float(told["seconds"]), {name: (tuple(s), tuple(v)) for name, (s, v) in told["curves"].items()}

    def _map(self, stack: ModalityStack, model: Path, folder: Path) -> _SceneMap:
        header = read_header(str(model))
        size, stride = header.settings.patch_size, header.settings.stride
        plan = plan_blocks(stack.overlap, stack.pixel_bytes + 8 * len(header.classes), size, stride)

        def blocks(stopped: Stopped) -> Iterator[Block | None]:
            with closing(stack.reopen()) as reader:
                for number, part in enumerate(plan):
                    if stopped():
                        return
                    yield write_block(reader, number, part, folder, size, stride)

        scene_map = _SceneMap(stack, header.classes, folder / "map.tif")
        job = ClassifyJob(str(model), self._device, False)
        scene_map.pixels = classify_blocks(self._worker, job, blocks, len(plan), scene_map.write, Quiet()).pixels
        scene_map.output.commit()
        return scene_map


class _SceneMap:
    """A class raster in the making, and the confidences (h, w) of its pixels in memory."""

    def __init__(self, stack: ModalityStack, classes: tuple[ClassInfo, ...], path: Path) -> None:
        self.window = stack.overlap
        self.pixels = 0
        self.confidence = np.zeros((self.window.height, self.window.width), np.float32)
        self.codes = np.zeros(self.confidence.shape, np.int64)
        self._classes = [each.code for each in classes]
        self._type, self._nodata = class_type_and_nodata(self._classes)
        self.output = OutputRaster(
            str(path), stack.grid, self.window, 1, self._type, self._nodata, ["class"], tuple(classes)
        )

    def write(self, block: Block) -> None:
        """One block's results."""
        window = Window(block.row, block.column, block.height, block.width)
        codes = codes_at(np.load(block.classes), self._classes, self._type, self._nodata)
        self.output.write(window, codes)
        self.codes[window.slices_in(self.window)] = codes
        self.confidence[window.slices_in(self.window)] = np.load(block.confidence)


def _assessed(scene_map: _SceneMap, samples: Samples, reference: Reference) -> Figures:
    """The figures of `assess`, and the calibration error at the same pixels."""
    source = describe(str(scene_map.output.path), "map")
    found = confusion_of(source, samples.polygons, samples.crs_wkt, CLASS_FIELD)
    place = reference.rows - scene_map.window.row, reference.columns - scene_map.window.column
    ece = calibration_error(scene_map.confidence[place], scene_map.codes[place] == reference.codes)
    figures = figures_of([reference.names.get(each.code, each.name) for each in found.classes], found.confusion, ece)
    if figures.pixels != len(reference.codes):
        raise AssertionError(f"assess saw {figures.pixels} pixels, the baselines see {len(reference.codes)}")
    return figures


def _classes(labels: Labels) -> tuple[ClassInfo, ...]:
    return tuple(ClassInfo(each.code, each.label, "#808080") for each in labels.classes)


def _series(curves: tuple[Curve, ...]) -> Curves:
    return {each.name: (each.steps, each.values) for each in curves}
