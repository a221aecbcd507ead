"""What the town is made of: land-cover classes, materials, and how materials reflect.

All reflectance curves are synthetic: smooth functions of the wavelength in the manner of the material, made for this
scene and measured nowhere.
"""

from __future__ import annotations

import numpy as np

from ...model.shared.infos import ClassInfo

ROAD, ASPHALT_ROOF, PAVEMENT, CONCRETE_ROOF, LAWN, TREE, SOIL, WATER = range(1, 9)
CLASSES = (
    ClassInfo(ROAD, "road", "#5b5b66"),
    ClassInfo(ASPHALT_ROOF, "asphalt roof", "#c0392b"),
    ClassInfo(PAVEMENT, "pavement", "#c9c2b5"),
    ClassInfo(CONCRETE_ROOF, "concrete roof", "#e68a3c"),
    ClassInfo(LAWN, "lawn", "#a5d46a"),
    ClassInfo(TREE, "tree", "#2e7d32"),
    ClassInfo(SOIL, "bare soil", "#a9805b"),
    ClassInfo(WATER, "water", "#3d85c6"),
)

ASPHALT, CONCRETE, LEAF, EARTH, OPEN_WATER = range(5)
# pairs of classes share a material: no image separates them by its bands alone
MATERIAL_OF = np.array([0, ASPHALT, ASPHALT, CONCRETE, CONCRETE, LEAF, LEAF, EARTH, OPEN_WATER])

BANDS = 24
WAVELENGTHS = np.concatenate([np.linspace(450, 950, 16), np.linspace(1050, 2300, 8)])  # nm


def _bump(centre: float, width: float) -> np.ndarray:
    return np.exp(-(((WAVELENGTHS - centre) / width) ** 2))


def _step(centre: float, width: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(WAVELENGTHS - centre) / width))


def reflectance() -> np.ndarray:
    """Synthetic reflectance of each material in each band, (5, 24), shares between 0 and 1."""
    longer = (WAVELENGTHS - 450) / 1850
    curves = np.stack(
        [
            0.09 + 0.07 * longer,
            0.24 + 0.12 * _step(550, 60) - 0.05 * _bump(2250, 150),
            0.04 + 0.06 * _bump(555, 40) + 0.42 * _step(720, 18) - 0.25 * _step(1400, 120) - 0.08 * _bump(1950, 120),
            0.10 + 0.20 * _step(650, 120) + 0.12 * longer - 0.07 * _bump(2200, 120),
            0.07 * np.exp(-(WAVELENGTHS - 450) / 220) + 0.004,
        ]
    )
    return np.clip(curves, 0.003, 1)
