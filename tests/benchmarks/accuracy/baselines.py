"""What there is to beat, on the same samples: a random forest and an RBF-SVM per pixel, a patch CNN."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import cohen_kappa_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack
from bdgf.bdgf_qgis.raster.samples.labels import Labels, rasterise_labels
from bdgf.tests.benchmarks.accuracy.figures import Figures, compared, reference_of
from bdgf.tests.benchmarks.accuracy.patch_cnn import PatchClassifier
from bdgf.tests.benchmarks.accuracy.scene import CLASS_FIELD, Samples

TREES = 500
COSTS = (0.1, 1, 10, 100, 1000)
_FOLDS = 5


@dataclass(frozen=True)
class BaselineResult:
    """Figures, seconds, and the number of pixels that were classified: those of the reference alone."""

    figures: Figures
    seconds: dict[str, float]
    mapped: int


def run_baseline(
    method: str, stack: ModalityStack, training: Samples, reference: Samples, seed: int, epochs: int | None = None
) -> BaselineResult:
    """Train 'forest', 'svm' or 'cnn' on the pixels that BDGF's labels give and classify the reference pixels."""
    labels = rasterise_labels(stack, training.polygons, training.crs_wkt, CLASS_FIELD, 0.0, seed)
    wanted = reference_of(stack, reference)
    arrays, valid = stack.read(stack.overlap)
    origin = np.array([stack.overlap.row, stack.overlap.column])
    codes = np.array([each.code for each in labels.classes])
    here = labels.points[:, :2] - origin
    there = np.column_stack([wanted.rows, wanted.columns]) - origin
    start = time.monotonic()
    if method == "cnn":
        network = PatchClassifier(arrays, valid, len(codes), seed)
        network.fit(here, labels.points[:, 2], **({} if epochs is None else {"epochs": epochs}))
        trained = time.monotonic()
        probabilities = network.probabilities(there)
        chosen, confidence = codes[probabilities.argmax(axis=1)], probabilities.max(axis=1)
    else:
        cube = np.concatenate([each.astype(np.float32) for each in arrays])
        features, targets = (cube[:, places[:, 0], places[:, 1]].T for places in (here, there))
        model = forest(seed) if method == "forest" else svm(labels, seed)
        model.fit(features, codes[labels.points[:, 2]], **_groups(model, labels))
        trained = time.monotonic()
        chosen, confidence = model.predict(targets), None
        if method == "forest":
            confidence = model.predict_proba(targets).max(axis=1)
    seconds = {"pretrain": 0.0, "train": trained - start, "classify": time.monotonic() - trained}
    return BaselineResult(compared(wanted, chosen, confidence), seconds, len(there))


def forest(seed: int) -> Any:
    """A random forest of 500 trees."""
    return RandomForestClassifier(TREES, n_jobs=-1, random_state=seed)


def svm(labels: Labels, seed: int) -> Any:
    """An RBF-SVM on standardised bands, C by cross-validation with kappa as the score.

    Folds are grouped by polygon unit where every class has at least three; else they are stratified, as far as the
    rarest class has pixels; with a single pixel of it C is 10.
    """
    positions = labels.points[:, 2]
    plain = make_pipeline(StandardScaler(), SVC(kernel="rbf", gamma="scale", C=10))
    units = min(len(np.unique(labels.points[positions == each, 3])) for each in np.unique(positions))
    folds = min(_FOLDS, int(np.bincount(positions).min()))
    if units >= 3:
        split = StratifiedGroupKFold(min(_FOLDS, units), shuffle=True, random_state=seed)
    elif folds >= 2:
        split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    else:
        return plain
    return GridSearchCV(plain, {"svc__C": list(COSTS)}, scoring=make_scorer(cohen_kappa_score), cv=split)


def _groups(model: Any, labels: Labels) -> dict[str, np.ndarray]:
    grouped = isinstance(getattr(model, "cv", None), StratifiedGroupKFold)
    return {"groups": labels.points[:, 3]} if grouped else {}
