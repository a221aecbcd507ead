"""Which bands of an image to show in red, green and blue: natural colours, false colours, by their wavelengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from qgis.core import QgsContrastEnhancement, QgsMultiBandColorRenderer, QgsRasterLayer, QgsRasterMinMaxOrigin

from ..raster.reading.raster import Raster
from ..translation import tr

_FARTHEST = 0.15  # how far a band may lie from the wavelength that is wanted, as a share of it
_BLUE, _GREEN, _RED, _NEAR_INFRARED, _SHORT_WAVE = 480.0, 560.0, 660.0, 850.0, 1650.0  # nanometres


@dataclass(frozen=True)
class BandCombination:
    """Numbers of the bands in red, green and blue, from 1."""

    name: str
    bands: tuple[int, int, int]


def band_combinations(raster: Raster) -> list[BandCombination]:
    """Those that its wavelengths allow; of an image without wavelengths its first three bands."""
    wanted = (
        (tr("Natural colours"), (_RED, _GREEN, _BLUE)),
        (tr("Vegetation in red (near infrared)"), (_NEAR_INFRARED, _RED, _GREEN)),
        (tr("Short-wave infrared"), (_SHORT_WAVE, _NEAR_INFRARED, _RED)),
    )
    found = [(name, [_nearest(raster, wavelength) for wavelength in wavelengths]) for name, wavelengths in wanted]
    combinations = [
        BandCombination(name, (red, green, blue))
        for name, (red, green, blue) in found
        if red is not None and green is not None and blue is not None
    ]
    if not combinations and len(raster.data) >= 3:
        first = [band.number for band in raster.data[:3]]
        combinations = [BandCombination(tr("First three bands"), (first[0], first[1], first[2]))]
    return combinations


def show_combination(layer: QgsRasterLayer, combination: BandCombination) -> None:
    """Show a layer so, stretched between the 2nd and the 98th percentile of each band."""
    layer.setRenderer(QgsMultiBandColorRenderer(layer.dataProvider(), *combination.bands))
    layer.setContrastEnhancement(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum,
        QgsRasterMinMaxOrigin.Limits.CumulativeCut,
    )
    layer.triggerRepaint()
    layer.emitStyleChanged()


def _nearest(raster: Raster, wavelength: float) -> Optional[int]:
    """The number of the band that lies nearest; None where none is near."""
    known = [(abs(band.wavelength - wavelength), band.number) for band in raster.data if band.wavelength]
    distance, number = min(known, default=(wavelength, None))
    return number if distance <= _FARTHEST * wavelength else None
