"""What Pre-train and Train share: what may be wrong, the tiles they learn from, and the state that a cut run leaves."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Optional

from qgis.core import QgsProcessingContext

from ...model.shared.header import ModelFile
from ...model.shared.messages import TileFiles
from ...model.shared.settings import PRESETS
from ..feedback import Feedback
from ..files.conflicts import Written
from ..raster.grid import Window
from ..raster.reading.stack import ModalityStack
from ..raster.samples.labels import Labels
from ..raster.samples.tiles import copy_tiles
from ..translation import tr
from ..workflows.inputs import rasters_problem
from ..workflows.placing import file_result
from ..workflows.running import opened_model
from .base import BdgfAlgorithm
from .common_parameters import device_problem, model_problem

_KINDS = ("classifier", "pretrained")


def learning_problem(algorithm: BdgfAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
    """What is wrong with the pre-trained model, the device or the rasters; '' where nothing is."""
    found = model_problem(algorithm, parameters, "PRETRAINED", _KINDS, context)
    found = found or device_problem(algorithm, parameters, context)
    preset = PRESETS[algorithm.parameterAsEnumString(parameters, "PRESET", context)]
    given = algorithm.parameterAsFile(parameters, "PRETRAINED", context)
    return found or rasters_problem(algorithm, parameters, context, 0 if given else preset.components)


def pretrained_of(
    algorithm: BdgfAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Optional[ModelFile]:
    """PRETRAINED, opened; None where it was left empty. Raises ModelFileError where the file is damaged."""
    path = algorithm.parameterAsFile(parameters, "PRETRAINED", context)
    return opened_model(path, _KINDS) if path else None


def scene_tiles(
    stack: ModalityStack,
    labels: Optional[Labels],
    folder: Path,
    seed: int,
    feedback: Feedback,
    begin: float,
    extent: Optional[Window] = None,
) -> TileFiles:
    """Copies of what is learned from, in the job's folder; the bar goes from `begin` to 0.08."""
    return copy_tiles(
        stack,
        labels,
        folder,
        seed=seed,
        feedback=feedback.part(begin, 0.08, tr("Reading the rasters")),
        extent=extent,
    )


def checkpoint_of(model: str) -> str:
    """Where the state of a long pre-training is kept until its model is written: beside it."""
    return f"{os.path.abspath(model)}.bdgf-pretraining.safetensors"  # the worker has a working folder of its own


def model_result(model: str) -> Written:
    """A model file with the state that is kept beside it while it comes into being."""
    draft = checkpoint_of(model) + ".12345678.new"  # as long as the worker's names for its drafts
    return file_result(model, checkpoint_of(model), draft)


def remove_checkpoint(model: str) -> None:
    """The model stands: its run need not go on. A file that is held open does no harm."""
    with contextlib.suppress(OSError):
        Path(checkpoint_of(model)).unlink(missing_ok=True)
