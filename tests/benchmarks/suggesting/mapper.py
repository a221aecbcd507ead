"""Maps of preset instant from labelled pixels, with probabilities, as Classify writes them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bdgf.bdgf_qgis.engine.block_results import read_results
from bdgf.bdgf_qgis.engine.block_stream import Stopped, classify_blocks
from bdgf.bdgf_qgis.engine.run import run_job
from bdgf.bdgf_qgis.engine.worker import Worker
from bdgf.bdgf_qgis.raster.grid import Window
from bdgf.bdgf_qgis.raster.output.metadata import class_type_and_nodata, codes_at
from bdgf.bdgf_qgis.raster.output.outputs import OutputRaster
from bdgf.bdgf_qgis.raster.reading.blocks import plan_blocks, write_block
from bdgf.bdgf_qgis.raster.reading.raster import Raster, describe
from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.bdgf_qgis.raster.samples.tiles import copy_tiles
from bdgf.model.shared.events import Trained
from bdgf.model.shared.infos import ClassInfo
from bdgf.model.shared.jobs import CERTAIN, NO_CLASS, Block, ClassifyJob, TrainJob
from bdgf.model.shared.settings import PRESETS
from bdgf.tests.benchmarks.accuracy.bdgf_row import VERSION, BdgfRunner, Quiet
from bdgf.tests.benchmarks.accuracy.scene import CLASS_FIELD, Samples


@dataclass(frozen=True, eq=False)
class Mapped:
    """A class raster and its probabilities as files, and the codes of the whole grid (H, W), 0 where there is none."""

    classification: Raster
    probabilities: Raster
    codes: np.ndarray


class Mapper:
    """Trains and maps with one worker.

    Args:
        worker: a worker process.
        device: as jobs name it.
        cache: folder of pre-trained models.
    """

    def __init__(self, worker: Worker, device: str, cache: Path) -> None:
        self._worker = worker
        self._device = device
        self._runner = BdgfRunner(worker, device, cache)

    @contextmanager
    def mapped(self, stack: ModalityStack, samples: Samples) -> Iterator[Mapped]:
        """The map that preset instant makes of some samples; its files are gone afterwards."""
        settings = PRESETS["instant"]
        labels = rasterise_labels(stack, samples.polygons, samples.crs_wkt, CLASS_FIELD, 0.0, 0)
        pretrained = self._runner.pretrained(stack, settings, 0)[0]
        folder = self._worker.workspace.job_folder()
        try:
            classes = tuple(ClassInfo(each.code, each.label, "#808080") for each in labels.classes)
            job = TrainJob(
                tiles=copy_tiles(stack, labels, folder, seed=0),
                modalities=stack.info(),
                scene=stack.scene_info(),
                classes=classes,
                settings=settings,
                seed=0,
                device=self._device,
                output=str(folder / "model.safetensors"),
                plugin_version=VERSION,
                samples_hash=labels.digest,
                pretrained=str(pretrained),
            )
            assert isinstance(run_job(self._worker, job, Quiet()), Trained)
            yield self._map(stack, Path(job.output), classes, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _map(self, stack: ModalityStack, model: Path, classes: tuple[ClassInfo, ...], folder: Path) -> Mapped:
        settings = PRESETS["instant"]
        size, stride = settings.patch_size, settings.stride
        plan = plan_blocks(stack.overlap, stack.pixel_bytes + 8 * len(classes), size, stride)

        def blocks(stopped: Stopped) -> Iterator[Block | None]:
            with closing(stack.reopen()) as reader:
                for number, part in enumerate(plan):
                    if stopped():
                        return
                    yield write_block(reader, number, part, folder, size, stride)

        whole = stack.grid.window
        codes = np.zeros((whole.height, whole.width), np.int64)
        kind, nodata = class_type_and_nodata([info.code for info in classes])
        names = [info.name for info in classes]
        shares_path = str(folder / "shares.tif")
        with ExitStack() as files:
            classified = files.enter_context(
                OutputRaster(str(folder / "map.tif"), stack.grid, whole, 1, kind, nodata, ["class"], classes)
            )
            shares = files.enter_context(
                OutputRaster(
                    shares_path,
                    stack.grid,
                    whole,
                    len(names),
                    "uint16",
                    NO_CLASS,
                    names,
                    (),
                    1 / CERTAIN,
                )
            )

            def write(block: Block) -> None:
                answer = read_results(block, len(classes), True)
                window = Window(block.row, block.column, block.height, block.width)
                found = codes_at(answer.classes, [info.code for info in classes], kind, nodata)
                codes[window.slices_in(whole)] = found
                classified.write(window, found)
                shares.write(window, answer.probabilities)

            classify_blocks(
                self._worker, ClassifyJob(str(model), self._device, True), blocks, len(plan), write, Quiet()
            )
            for output in (classified, shares):
                output.commit()
        made = [describe(str(folder / name), name.partition(".")[0]) for name in ("map.tif", "shares.tif")]
        return Mapped(made[0], made[1], codes)
