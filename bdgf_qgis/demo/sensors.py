"""What two sensors see of the town: a spectral image of 2 m pixels and a surface model of 3 m pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..raster.grid import Window
from .materials import BANDS, MATERIAL_OF, TREE, reflectance
from .town import QUARTER, Town

PIXEL = 2  # metres, optical image
DSM_PIXEL = 3  # metres, surface model
DSM_SHIFT = -5  # metres from the scene's corner to that of the surface model
NATURAL = (7, 4, 1)  # numbers of the bands nearest to red, green and blue
BRIGHT = 3_500  # reflectance times 10,000 that is shown white
HALO = 16  # metres drawn around what is asked for: blurs reach that far
_BLUR = 1.3  # metres, the optics' point spread
_NOISE = 0.006  # reflectance
_DSM_NOISE = 0.12  # metres
_SUN = np.array([0.45, 0.45])  # slope toward the sun, rows and columns
_CURVES = reflectance()


@dataclass(frozen=True)
class Ground:
    """A part of the scene at one pixel a metre, all (h, w): class codes, surface height in metres, brightness."""

    codes: np.ndarray
    surface: np.ndarray
    brightness: np.ndarray


def optical(town: Town, window: Window) -> np.ndarray:
    """Reflectance times 10,000 of a window of 2 m pixels, uint16 (24, h, w)."""
    around = Window(window.row * PIXEL, window.column * PIXEL, window.height * PIXEL, window.width * PIXEL)
    ground = _draw(town, around.expand(HALO))
    shares = []
    for material in range(len(_CURVES)):
        share = (MATERIAL_OF[ground.codes] == material) * ground.brightness
        shares.append(_pixels(_blur(share, _BLUR)[HALO:-HALO, HALO:-HALO], PIXEL))
    mixed = np.einsum("mb,mhw->bhw", _CURVES, np.stack(shares))
    noise = _NOISE * _random_field(town.seed, 3, window, BANDS)
    values: np.ndarray = np.clip(np.rint((mixed + noise) * 10_000), 1, 65_534).astype(np.uint16)
    return values


def surface(town: Town, window: Window) -> np.ndarray:
    """Height of the surface of a window of 3 m pixels in metres, float32 (h, w)."""
    around = Window(*(each * DSM_PIXEL for each in (window.row, window.column, window.height, window.width)))
    shifted = Window(around.row + DSM_SHIFT, around.column + DSM_SHIFT, around.height, around.width)
    height = _pixels(_draw(town, shifted.expand(HALO)).surface[HALO:-HALO, HALO:-HALO], DSM_PIXEL)
    values: np.ndarray = (height + _DSM_NOISE * _random_field(town.seed, 4, window, 1)[0]).astype(np.float32)
    return values


def truth(town: Town, window: Window) -> np.ndarray:
    """Class at the centres of 2 m pixels, uint8 (h, w)."""
    rows = (np.arange(window.height) + window.row + 0.5)[:, None] * PIXEL
    columns = (np.arange(window.width) + window.column + 0.5)[None, :] * PIXEL
    codes: np.ndarray = _Plan(town, rows, columns).take("codes")
    return codes


class _Plan:
    """The quarters below some positions of the scene."""

    def __init__(self, town: Town, rows: np.ndarray, columns: np.ndarray) -> None:
        on_rows, on_columns = (np.floor(each).astype(int) for each in town.on_plan(rows, columns))
        self._inside = on_rows % QUARTER, on_columns % QUARTER
        self._quarters = on_rows // QUARTER, on_columns // QUARTER
        self._town = town

    def take(self, name: str) -> np.ndarray:
        """A property of the quarters at every position."""
        rows, columns = self._quarters
        found: np.ndarray = np.empty(
            rows.shape, getattr(self._town.quarter(int(rows[0, 0]), int(columns[0, 0])), name).dtype
        )
        for row in np.unique(rows):
            for column in np.unique(columns[rows == row]):
                here = (rows == row) & (columns == column)
                drawn = getattr(self._town.quarter(int(row), int(column)), name)
                found[here] = drawn[self._inside[0][here], self._inside[1][here]]
        return found


def _draw(town: Town, window: Window) -> Ground:
    """The scene in a window of 1 m pixels; what lies within HALO of the edge may be blurred wrongly."""
    rows = (np.arange(window.height) + window.row + 0.5)[:, None]
    columns = (np.arange(window.width) + window.column + 0.5)[None, :]
    plan = _Plan(town, rows, columns)
    codes, level, grain = plan.take("codes"), plan.take("level"), plan.take("grain")
    ground = town.ground(rows, columns)
    texture = _blur(grain, 1.5) * 4  # about unit deviation
    crowns = (codes == TREE) * (1 + 0.22 * texture)
    height = np.where(np.isnan(level), ground + plan.take("rise") * crowns, level)
    leafy = np.isin(MATERIAL_OF[codes], MATERIAL_OF[TREE])
    brightness = plan.take("tone") * (1 + np.where(leafy, 0.10, 0.04) * texture)
    return Ground(codes, height, brightness * _shade(height))


def _shade(height: np.ndarray) -> np.ndarray:
    """Brightness of a lit surface (h, w), 1 where it is flat: the sun is high, walls throw no shadow."""
    slopes = np.stack(np.gradient(_blur(height, 1.5)))
    slopes = np.clip(slopes, -0.5, 0.5)
    lit = (1 - np.einsum("s,shw->hw", _SUN, slopes)) / np.sqrt(1 + (slopes**2).sum(axis=0))
    shade: np.ndarray = np.clip(lit, 0.5, 1.3)
    return shade


def _blur(image: np.ndarray, deviation: float) -> np.ndarray:
    """Gaussian blur of (h, w), deviation in pixels."""
    reach = int(np.ceil(3 * deviation))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        padded = np.pad(image, [(reach, reach) if each == axis else (0, 0) for each in (0, 1)], mode="edge")
        length = image.shape[axis]
        image = sum(weight * padded.take(range(start, start + length), axis) for start, weight in enumerate(kernel))
    return image


def _pixels(fine: np.ndarray, side: int) -> np.ndarray:
    """Means of squares of `side` fine pixels."""
    rows, columns = fine.shape[0] // side, fine.shape[1] // side
    means: np.ndarray = fine.reshape(rows, side, columns, side).mean(axis=(1, 3))
    return means


def _random_field(seed: int, kind: int, window: Window, bands: int) -> np.ndarray:
    """White noise (bands, h, w) that depends on the pixel's place alone."""
    side = 64
    field = np.empty((bands, window.height, window.width))
    for cell in window.cells(side):
        row, column = cell.row // side, cell.column // side
        random = np.random.default_rng([seed, kind, row + 2**20, column + 2**20])
        noise = random.standard_normal((bands, side, side))
        place = (slice(None), *cell.slices_in(Window(row * side, column * side, side, side)))
        field[(slice(None), *cell.slices_in(window))] = noise[place]
    return field
