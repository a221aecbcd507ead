"""What drawn samples look like: pixels, means and deviations of each class, and how well classes can be told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Optional

import numpy as np

from ...feedback import SILENT, Feedback
from ..reading.stack import ModalityStack
from ..texts import counted
from .classes import LabelClass
from .labels import Labels, rasterise_labels
from .shapes import Polygon

_MOST = 20_000  # pixels of a class that means and covariances are made from, taken at random
_SHOWN = 500  # pixels of a class in the scatter plot
_CELL = 256  # side of the squares in which pixels are read
_FEWEST_PIXELS, _FEWEST_POLYGONS = 30, 3  # below which a class is warned of
_UNEVEN = 50  # times as many pixels as another class has
_ALIKE = 1.0  # Jeffries-Matusita distance below which classes are hard to tell apart


@dataclass(frozen=True)
class BandName:
    """A band of one of the rasters; its wavelength in nanometres, where it is known."""

    raster: str
    band: str
    wavelength: Optional[float]


@dataclass(frozen=True)
class Separability:
    """Two classes by their codes, and their Jeffries-Matusita distance: 0 alike, 2 wholly apart."""

    first: int
    second: int
    distance: float


@dataclass(frozen=True, eq=False)
class SampleStatistics:
    """Statistics of K classes over C bands of all rasters, on the reference grid.

    classes     by ascending code
    pixels      valid labelled pixels of each class code
    bands       of the rasters, in their order
    means       (K, C)
    deviations  (K, C), standard deviations
    sample      per class (n, C), some of its pixels
    separability  every pair of classes, the worst first
    warnings    sentences
    """

    classes: tuple[LabelClass, ...] = ()
    pixels: dict[int, int] = field(default_factory=dict)
    bands: tuple[BandName, ...] = ()
    means: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    deviations: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    sample: tuple[np.ndarray, ...] = ()
    separability: tuple[Separability, ...] = ()
    warnings: tuple[str, ...] = ()


def sample_statistics(
    stack: ModalityStack, polygons: Sequence[Polygon], crs_wkt: str, class_field: str, feedback: Feedback = SILENT
) -> SampleStatistics:
    """The statistics of drawn polygons, rasterised as in training.

    Raises RasterError as rasterise_labels does; RunCancelled where it is no longer wanted.
    """
    labels = rasterise_labels(stack, polygons, crs_wkt, class_field, 0.0, 0, feedback)
    values = [_values(stack, _some(labels, position), feedback) for position in range(len(labels.classes))]
    means = np.array([own.mean(axis=0) for own in values])
    deviations = np.array([own.std(axis=0) for own in values])
    codes = [label.code for label in labels.classes]
    pairs = [
        Separability(codes[one], codes[other], jeffries_matusita(values[one], values[other]))
        for one, other in combinations(range(len(codes)), 2)
    ]
    pairs.sort(key=lambda pair: pair.distance)
    random = np.random.default_rng(0)
    return SampleStatistics(
        labels.classes,
        {label.code: counts.training_pixels for label, counts in zip(labels.classes, labels.counts)},
        _bands(stack),
        means,
        deviations,
        tuple(own[random.permutation(len(own))[:_SHOWN]] for own in values),
        tuple(pairs),
        (*_warnings(labels, pairs), *labels.warnings),
    )


def jeffries_matusita(one: np.ndarray, other: np.ndarray) -> float:
    """The Jeffries-Matusita distance of two classes of pixels (n, C) and (m, C), 0 to 2.

    J = 2 (1 - exp(-B)) with the Bhattacharyya distance B of two normal distributions (Richards, J. A. (2013), Remote
    Sensing Digital Image Analysis, section 10.2). Bands are standardised over both, and covariances drawn towards their
    diagonal by C / (C + n), so that few pixels of many bands have one too.
    """
    both = np.concatenate([one, other])
    spread = both.std(axis=0)
    used = spread > 0
    if not used.any():
        return 0.0
    first, second = ((own[:, used] - both[:, used].mean(axis=0)) / spread[used] for own in (one, other))
    covariances = [_covariance(own) for own in (first, second)]
    middle = (covariances[0] + covariances[1]) / 2
    gap = first.mean(axis=0) - second.mean(axis=0)
    logs = [np.linalg.slogdet(matrix)[1] for matrix in (middle, *covariances)]
    bhattacharyya = gap @ np.linalg.solve(middle, gap) / 8 + (logs[0] - (logs[1] + logs[2]) / 2) / 2
    return float(2 * (1 - math.exp(-max(0.0, bhattacharyya))))


def _covariance(values: np.ndarray) -> np.ndarray:
    count, bands = values.shape
    found = np.atleast_2d(np.cov(values, rowvar=False)) if count > 1 else np.zeros((bands, bands))
    share = bands / (bands + count)
    diagonal = np.diag(np.maximum(np.diag(found), 1e-3))
    shrunk: np.ndarray = (1 - share) * found + share * diagonal + 1e-6 * np.eye(bands)
    return shrunk


def _some(labels: Labels, position: int) -> np.ndarray:
    """Rows and columns (n, 2) of pixels of a class."""
    places = labels.points[labels.points[:, 2] == position, :2]
    if len(places) > _MOST:
        places = places[np.sort(np.random.default_rng(position).permutation(len(places))[:_MOST])]
    return places


def _values(stack: ModalityStack, places: np.ndarray, feedback: Feedback) -> np.ndarray:
    """Values (n, C) of all bands at rows and columns (n, 2), in double precision."""
    count = sum(len(modality.bands) for modality in stack.modalities)
    values = np.empty((len(places), count))
    rows, columns = places[:, 0], places[:, 1]
    for cell in stack.overlap.cells(_CELL):
        inside = (rows >= cell.row) & (rows < cell.row_end) & (columns >= cell.column) & (columns < cell.column_end)
        if not inside.any():
            continue
        feedback.check()
        own = places[inside] - [cell.row, cell.column]
        top, left = own.min(axis=0)
        bottom, right = own.max(axis=0) + 1
        part = type(cell)(cell.row + int(top), cell.column + int(left), int(bottom - top), int(right - left))
        arrays, _ = stack.read(part)
        values[inside] = np.concatenate([array[:, own[:, 0] - top, own[:, 1] - left] for array in arrays]).T
        stack.spare_memory()
    return values


def _bands(stack: ModalityStack) -> tuple[BandName, ...]:
    return tuple(
        BandName(modality.name, name, modality.raster.bands[number - 1].wavelength)
        for modality in stack.modalities
        for number, name in zip(modality.bands, modality.band_names)
    )


def _warnings(labels: Labels, pairs: Sequence[Separability]) -> list[str]:
    names = {label.code: label.label for label in labels.classes}
    pixels = {label.code: counts.training_pixels for label, counts in zip(labels.classes, labels.counts)}
    sentences = [
        f"'{names[pair.first]}' and '{names[pair.second]}' are hard to tell apart by their pixels alone "
        f"(Jeffries-Matusita distance {pair.distance:.2f} of 2)."
        for pair in pairs
        if pair.distance < _ALIKE
    ]
    for label, counts in zip(labels.classes, labels.counts):
        if counts.training_pixels < _FEWEST_PIXELS:
            sentences.append(f"'{label.label}' has only {counted(counts.training_pixels, 'pixel')}: draw more.")
        if counts.training_polygons < _FEWEST_POLYGONS:
            drawn = counted(counts.training_polygons, "polygon")
            sentences.append(f"'{label.label}' has only {drawn}: draw three or more, apart from each other.")
    largest, smallest = max(pixels, key=lambda code: pixels[code]), min(pixels, key=lambda code: pixels[code])
    if pixels[largest] > _UNEVEN * pixels[smallest]:
        times = f"{pixels[largest] / pixels[smallest]:,.0f} times"
        sentences.append(
            f"'{names[largest]}' has {times} the pixels of '{names[smallest]}': draw more of the rare class."
        )
    return sentences
