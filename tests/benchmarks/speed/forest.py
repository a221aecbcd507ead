"""A random forest of 500 trees on the same pixels; run as a process of its own: `forest SECONDS`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from bdgf.tests.benchmarks.speed.scene import BANDS, CLASSES, pixels

TREES = 500
_LABELLED = 2000
_CHUNK = 20_000  # pixels that are predicted at once


def measure(seconds: float) -> float:
    """Pixels a second that it predicts with every core."""
    values = pixels(0, 200, 200).reshape(BANDS, -1).T.astype(np.float32)
    random = np.random.default_rng(0)
    chosen = random.choice(len(values), _LABELLED, replace=False)
    # classes that overlap as real ones do: pure ones would make small trees
    score = values[chosen, 0] + random.normal(0, 300, _LABELLED)
    labels = np.digitize(score, np.quantile(score, np.linspace(0, 1, CLASSES + 1)[1:-1]))
    forest = RandomForestClassifier(TREES, n_jobs=-1, random_state=0).fit(values[chosen], labels)
    done, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        done += len(forest.predict(values[:_CHUNK]))
    return done / took


def main(arguments: Sequence[str]) -> None:
    """Prints pixels a second as JSON."""
    print(json.dumps(measure(float(arguments[0]))))


if __name__ == "__main__":
    main(sys.argv[1:])
