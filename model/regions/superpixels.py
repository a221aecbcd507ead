"""Superpixels of the visible extent: SLIC, or Felzenszwalb's graph-based segmentation.

Achanta, R. et al., 2012: SLIC superpixels compared to state-of-the-art superpixel methods. IEEE TPAMI 34.
Felzenszwalb, P., Huttenlocher, D., 2004: Efficient graph-based image segmentation. IJCV 59.
"""

from __future__ import annotations

import math

import numpy as np
from skimage.segmentation import felzenszwalb, slic

COMPONENTS = 3  # principal components that an image has here
_SAMPLE = 50_000  # values from which their spread is taken
_REACH = 3.0  # deviations of the first component, beyond which values count as this
_COMPACTNESS = 0.2  # of SLIC, on an image scaled to 0..1
_ROUNDS = 5  # of SLIC
_MOST = {"slic": 400_000, "felzenszwalb": 250_000}  # pixels that are looked at, every second or third, to be quick
_CONTRAST = 0.015  # deviations between neighbours that Felzenszwalb's method bridges in a region of the wanted size


def superpixels(image: np.ndarray, valid: np.ndarray, method: str, scale: int) -> tuple[np.ndarray, int]:
    """Numbers from 0, int32 (h, w), -1 where invalid, and how many there are.

    Args:
        image: float32 (h, w, components) around 0.
        valid: bool (h, w).
        method: 'slic' or 'felzenszwalb'.
        scale: side in pixels of a square as large as a superpixel is to be, about.
    """
    step = math.ceil((valid.size / _MOST[method]) ** 0.5)
    cut = _slic if method == "slic" else _felzenszwalb
    found = cut(_bounded(image[::step, ::step]), scale / step)
    found = np.repeat(np.repeat(found, step, axis=0), step, axis=1)[: valid.shape[0], : valid.shape[1]]
    numbers = np.where(valid, found, -1).astype(np.int32)
    return numbers, int(numbers.max(initial=-1)) + 1


def _slic(image: np.ndarray, scale: float) -> np.ndarray:
    wanted = max(1, round(image.shape[0] * image.shape[1] / scale**2))
    found: np.ndarray = slic(
        image,
        n_segments=wanted,
        compactness=_COMPACTNESS,
        max_num_iter=_ROUNDS,
        convert2lab=False,
        start_label=0,
        channel_axis=-1,
    )
    return found


def _felzenszwalb(image: np.ndarray, scale: float) -> np.ndarray:
    area = max(1.0, scale**2)
    found: np.ndarray = felzenszwalb(
        image.astype(np.float64), scale=_CONTRAST * area * 255, sigma=0.5, min_size=round(area / 4), channel_axis=-1
    )
    return found


def _bounded(image: np.ndarray) -> np.ndarray:
    """The image in deviations of its most varied component, outliers held in."""
    flat = image.reshape(-1, image.shape[-1])
    spread = float(flat[:: max(1, len(flat) // _SAMPLE)].std(axis=0).max())
    bounded: np.ndarray = np.clip(image / np.float32(spread or 1.0), -_REACH, _REACH)
    return bounded
