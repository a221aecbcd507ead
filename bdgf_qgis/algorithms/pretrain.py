"""Pre-train: learn a scene without labels."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext

from ...model.shared.settings import PRESETS
from ..feedback import Feedback
from ..preferences import wished_device
from ..translation import tr
from ..workflows.default_places import PRETRAINED_PLACE
from ..workflows.pretrain import Pretraining, pretrain_model
from ..workflows.raster_inputs import rasters_of
from .base import BdgfAlgorithm
from .common_parameters import (
    add_learned_rasters,
    add_nodata,
    add_preset,
    add_pretrained,
    add_seed_and_device,
    learning_problem,
    pretrained_of,
)
from .parameters import MODEL_FILES


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
        self._pretrained = pretrained_of(self, parameters, context)
        self._rasters = rasters_of(self, parameters, context)
        self._extent = self.parameterAsExtent(parameters, "EXTENT", context, self._rasters.crs)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Pre-train."""
        wanted = Pretraining(
            self._rasters,
            PRESETS[self.parameterAsEnumString(parameters, "PRESET", context)],
            device=wished_device(self.parameterAsString(parameters, "DEVICE", context)),
            seed=self.parameterAsInt(parameters, "SEED", context),
            model=self.parameterAsFileOutput(parameters, "MODEL", context),
            pretrained=self._pretrained,
            extent=self._extent,
        )
        pretrain_model(wanted, feedback)
        return {"MODEL": wanted.model}
