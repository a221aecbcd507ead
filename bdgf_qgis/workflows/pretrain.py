"""Pre-trains: the worker learns what a scene looks like from tiles of its rasters, without labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from qgis.core import QgsRectangle

from ...model.shared.header import ModelFile
from ...model.shared.jobs import PretrainJob
from ...model.shared.settings import Settings
from ..engine.run import run_job
from ..feedback import Feedback
from ..files.conflicts import ReadFiles
from ..preferences import read_preferences
from ..raster.samples.tiles import copy_tiles
from ..resources import plugin_version, profile_home
from ..translation import tr
from .model_files import PRETRAINED, checkpoint_of, model_result, place_model
from .pace_text import step_text
from .raster_inputs import Rasters, window_of
from .result_files import held_places
from .scene import opened_scene

_COPIED, _LEARNED = 0.08, 0.99  # share of the bar at the end of each step


@dataclass(frozen=True)
class Pretraining:
    """What is learned from, how, and where the model goes.

    settings    of the method
    device      as messages name it
    seed        of tiles and all that the worker draws
    model       path of the result
    pretrained  the model to go on from; None: from nothing
    extent      in the CRS of the rasters; null means all of the overlap
    """

    rasters: Rasters
    settings: Settings
    device: str
    seed: int
    model: str
    pretrained: Optional[ModelFile] = None
    extent: QgsRectangle = field(default_factory=QgsRectangle)


def pretrain_model(wanted: Pretraining, feedback: Feedback) -> None:
    """Write a pre-trained model.

    Raises QgsProcessingException, with what to do, where that fails or was cancelled; no result stands in place then.
    """
    start = wanted.pretrained
    reads = ReadFiles([*wanted.rasters.files, *([start.path] if start else [])])
    with (
        held_places([model_result(wanted.model)], reads, feedback),
        opened_scene(wanted.rasters, start, feedback) as (worker, stack),
    ):
        folder = worker.workspace.job_folder()
        extent = window_of(wanted.extent, stack.grid)
        reading = feedback.part(0.0, _COPIED, tr("Reading the rasters"))
        tiles = copy_tiles(stack, None, folder, seed=wanted.seed, feedback=reading, extent=extent)
        written = folder / "model.safetensors"
        job = PretrainJob(
            tiles=tiles,
            modalities=stack.info(),
            scene=stack.scene_info(),
            settings=wanted.settings,
            seed=wanted.seed,
            device=wanted.device,
            output=str(written),
            plugin_version=plugin_version(),
            pretrained=start.path if start else None,
            pretrained_digest=start.digest if start else "",
            checkpoint=checkpoint_of(wanted.model),
            cache=read_preferences().pretraining_cache(profile_home()),
        )
        run_job(worker, job, feedback.part(_COPIED, _LEARNED), step_text)
        place_model(PRETRAINED, written, wanted.model)
    feedback.at(1.0)
