"""The figures of a row: accuracies, and how far confidence can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.model.shared.accuracy import accuracy_of
from bdgf.tests.benchmarks.accuracy.scene import CLASS_FIELD, Samples

BINS = 15


@dataclass(frozen=True)
class Figures:
    """Shares between 0 and 1; f1 by class label, None where no pixel supports it; confusion with reference in rows."""

    overall: float
    average: float
    kappa: float
    pixels: int
    ece: float | None
    f1: dict[str, float | None]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Reference:
    """Valid pixels with a known class: rows, columns and class codes, each (P,), and the names of the codes."""

    rows: np.ndarray
    columns: np.ndarray
    codes: np.ndarray
    names: dict[int, str]


def reference_of(stack: ModalityStack, samples: Samples) -> Reference:
    """The pixels of reference polygons, rasterised as training samples and `assess` do."""
    labels = rasterise_labels(stack, samples.polygons, samples.crs_wkt, CLASS_FIELD, 0.0)
    codes = np.array([each.code for each in labels.classes])
    names = {each.code: each.label for each in labels.classes}
    return Reference(labels.points[:, 0], labels.points[:, 1], codes[labels.points[:, 2]], names)


def figures_of(names: list[str], confusion: tuple[tuple[int, ...], ...], ece: float | None = None) -> Figures:
    """Figures of a confusion matrix whose classes are named in order."""
    found = accuracy_of(confusion)
    f1 = {name: each.f1 for name, each in zip(names, found.classes, strict=True)}
    return Figures(found.overall, found.average, found.kappa, found.pixels, ece, f1, confusion)


def compared(reference: Reference, mapped: np.ndarray, confidence: np.ndarray | None) -> Figures:
    """Figures of codes (P,) that a classifier gave the reference pixels, with its confidences (P,) where it has any."""
    codes = np.union1d(reference.codes, mapped)
    confusion = np.zeros((len(codes), len(codes)), int)
    np.add.at(confusion, (np.searchsorted(codes, reference.codes), np.searchsorted(codes, mapped)), 1)
    names = [reference.names.get(code, str(code)) for code in codes.tolist()]
    ece = None if confidence is None else calibration_error(confidence, mapped == reference.codes)
    return figures_of(names, tuple(tuple(row) for row in confusion.tolist()), ece)


def calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error over equal bins of confidence 0..1.

    Mean distance of confidence and accuracy per bin, weighted by pixels (Guo et al. 2017, On calibration of modern
    neural networks).
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    sums = np.bincount(place, confidence.astype(float) - correct, minlength=bins)
    return float(np.abs(sums).sum() / len(confidence))
