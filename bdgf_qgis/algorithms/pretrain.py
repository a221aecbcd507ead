"""Pre-train: learn a scene without labels."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext

from ...model.shared.messages import PretrainJob
from ...model.shared.settings import PRESETS
from ..engine.run import run_job
from ..feedback import Feedback
from ..files.conflicts import ReadFiles
from ..preferences import wished_device
from ..resources import plugin_version
from ..translation import tr
from ..workflows.inputs import rasters_of, window_of
from ..workflows.keeping import PRETRAINED_PLACE
from ..workflows.pace_text import step_text
from ..workflows.placing import held_places, put_in_place
from ..workflows.recent_models import PRETRAINED, remember_model
from ..workflows.running import opened_scene, told_to_user
from .base import MODEL_FILES, BdgfAlgorithm
from .common_parameters import (
    add_learned_rasters,
    add_nodata,
    add_preset,
    add_pretrained,
    add_seed_and_device,
)
from .learning import (
    checkpoint_of,
    learning_problem,
    model_result,
    pretrained_of,
    remove_checkpoint,
    scene_tiles,
)


class Pretrain(BdgfAlgorithm):
    """Writes a model that knows a scene but no classes."""

    ID = "pretrain"
    NEEDS_TORCH = True

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Pre-train")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Learns what a scene looks like, without any label: the sensor that the network leans on most is hidden "
            "now and then, so that the others must carry the picture.\n\n"
            "Train does this by itself. Run it apart to use one pre-training for several sets of classes on rasters "
            "with the same bands, or to learn from a large scene once."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("unsupervised,self-supervised,diffusion,foundation")

    def declare(self) -> None:
        """Parameters and outputs."""
        add_learned_rasters(self)
        self.add_extent("EXTENT", tr("Extent"), tr("Learn from this part only; left empty, from the whole overlap."))
        add_preset(self)
        add_pretrained(self, tr("Go on from this model instead of from nothing: further scenes of the same bands."))
        add_seed_and_device(self)
        add_nodata(self, tr("The model remembers them."))
        self.add_kept_file(
            "MODEL", tr("Pre-trained model"), tr("The model file to write."), MODEL_FILES, PRETRAINED_PLACE
        )

    def scene(self) -> str:
        """The name of the raster whose grid rules."""
        return self._rasters.grid.name

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with the pre-trained model, the device or the rasters."""
        return learning_problem(self, parameters, context)

    def read_inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Take what is needed from the layers."""
        self._rasters = rasters_of(self, parameters, context)
        self._extent = self.parameterAsExtent(parameters, "EXTENT", context, self._rasters.crs)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Copy tiles, learn, put the model in place."""
        model = self.parameterAsFileOutput(parameters, "MODEL", context)
        with told_to_user():
            pretrained = pretrained_of(self, parameters, context)
            reads = ReadFiles([*self._rasters.files, *([pretrained.path] if pretrained else [])])
        places = held_places([model_result(model)], reads, feedback)
        seed = self.parameterAsInt(parameters, "SEED", context)
        preset = self.parameterAsEnumString(parameters, "PRESET", context)
        with places, opened_scene(self._rasters, pretrained, feedback) as (worker, stack):
            folder = worker.workspace.job_folder()
            extent = window_of(self._extent, stack.grid)
            tiles = scene_tiles(stack, None, folder, seed, feedback, 0, extent)
            job = PretrainJob(
                tiles=tiles,
                modalities=stack.info(),
                scene=stack.scene_info(),
                settings=PRESETS[preset],
                seed=seed,
                device=wished_device(self.parameterAsString(parameters, "DEVICE", context)),
                output=str(folder / "model.safetensors"),
                plugin_version=plugin_version(),
                pretrained=pretrained.path if pretrained else None,
                pretrained_digest=pretrained.digest if pretrained else "",
                checkpoint=checkpoint_of(model),
            )
            run_job(worker, job, feedback.part(0.08, 0.99), step_text)
            put_in_place(folder / "model.safetensors", model)
            remove_checkpoint(model)
            remember_model(PRETRAINED, model)
        feedback.at(1.0)
        return {"MODEL": model}
