"""Tells where a scene is unlike the one that a model was trained on."""

from __future__ import annotations

from osgeo import osr
from qgis.core import QgsProcessingFeedback

from ...model.header import Header
from ...model.messages import SceneInfo
from ..raster.grid import Window
from ..raster.sampling import shares_outside
from ..raster.stack import ModalityStack
from ..translation import tr

_STRANGE = 0.05  # share of a band's pixels outside the training range that is worth a warning
_OTHER_SIZE = 1.5  # ratio of pixel sizes that is worth a warning


def compare_with_training(
    stack: ModalityStack, window: Window, header: Header, feedback: QgsProcessingFeedback
) -> None:
    """Warns of strange pixel sizes and values. Raises RasterCancelled."""
    ratio = _pixel_ratio(stack.scene_info(), header.scene)
    if ratio > _OTHER_SIZE:
        text = tr(
            "Pixels are {ratio:.1f} times larger or smaller than in training: shapes will look strange to the model."
        )
        feedback.pushWarning(text.format(ratio=ratio))
    feedback.setProgressText(tr("Comparing with the training"))
    shares = shares_outside(stack, window, header.ranges, cancelled=feedback.isCanceled)
    for modality, outside in zip(stack.modalities, shares):
        for name, share in zip(modality.band_names, outside):
            if share > _STRANGE:
                text = tr("{name}, {band}: {share:.0%} of the pixels lie outside the range seen in training.")
                feedback.pushWarning(text.format(name=modality.name, band=name, share=share))


def _pixel_ratio(here: SceneInfo, there: SceneInfo) -> float:
    """How many times the larger pixel side exceeds the smaller; 1 where the units cannot be compared."""
    if _in_degrees(here.crs) != _in_degrees(there.crs):
        return 1.0
    ratios = [abs(one / other) for one, other in zip(here.pixel_size, there.pixel_size)]
    return max(max(ratio, 1 / ratio) for ratio in ratios)


def _in_degrees(wkt: str) -> bool:
    return bool(wkt) and bool(osr.SpatialReference(wkt).IsGeographic())
