"""Superpixels of the visible extent: SLIC, or Felzenszwalb's graph-based segmentation.

Achanta, R. et al., 2012: SLIC superpixels compared to state-of-the-art superpixel methods. IEEE TPAMI 34.
Felzenszwalb, P., Huttenlocher, D., 2004: Efficient graph-based image segmentation. IJCV 59.
"""

from __future__ import annotations

import numpy as np
from skimage.segmentation import felzenszwalb, slic

_COMPONENTS = 3  # principal components that are looked at
_SAMPLE = 50_000  # pixels from which they are taken
_REACH = 3.0  # deviations of a component, beyond which values count as this
_COMPACTNESS = 0.06  # of SLIC, on an image scaled to 0..1
_ROUNDS = 3  # of SLIC
_CONTRAST = 0.12  # deviations between neighbours that Felzenszwalb's method bridges in a region of the wanted size


def superpixels(features: np.ndarray, valid: np.ndarray, method: str, scale: int) -> tuple[np.ndarray, int]:
    """Numbers from 0, int32 (h, w), -1 where invalid, and how many there are.

    Args:
        features: float32 (bands, h, w), squared differences of which add up.
        valid: bool (h, w).
        method: 'slic' or 'felzenszwalb', which looks at every second pixel only.
        scale: side in pixels of a square as large as a superpixel is to be, about.
    """
    if method == "slic":
        image = _components(features, valid)
        wanted = max(1, round(valid.size / scale**2))
        found = slic(
            image,
            n_segments=wanted,
            compactness=_COMPACTNESS,
            max_num_iter=_ROUNDS,
            convert2lab=False,
            start_label=0,
            channel_axis=-1,
        )
    else:
        image = _components(features[:, ::2, ::2], valid[::2, ::2])
        area = max(1.0, (scale / 2) ** 2)
        coarse = felzenszwalb(
            image.astype(np.float64), scale=_CONTRAST * area * 255, sigma=0.5, min_size=round(area / 4), channel_axis=-1
        )
        found = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)[: valid.shape[0], : valid.shape[1]]
    numbers = np.where(valid, found, -1).astype(np.int32)
    return numbers, int(numbers.max(initial=-1)) + 1


def _components(features: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The first principal components, float32 (h, w, 3 or fewer), bounded; 0 where invalid."""
    flat = features.reshape(len(features), -1)
    places = np.flatnonzero(valid)
    sample = flat[:, places[:: max(1, len(places) // _SAMPLE)]].astype(np.float64)
    if not len(places):
        return np.zeros((*valid.shape, 1), np.float32)
    middle = sample.mean(axis=1)
    if len(features) > _COMPONENTS:
        _, axes = np.linalg.eigh(np.cov(sample))
        turn = axes[:, ::-1][:, :_COMPONENTS].T
    else:
        turn = np.eye(len(features))
    found = turn.astype(np.float32) @ flat - (turn @ middle).astype(np.float32)[:, None]
    reach = np.float32(_REACH * max(np.sqrt((turn @ sample).var(axis=1).max()), 1e-6))
    np.clip(found, -reach, reach, out=found)
    found[:, ~valid.reshape(-1)] = 0
    return np.ascontiguousarray(found.T).reshape(*valid.shape, len(turn))
