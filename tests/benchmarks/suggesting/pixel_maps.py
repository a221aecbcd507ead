"""What preset instant makes of labelled pixels, asked at the pixels under a scene's polygons alone.

Features hang on the pre-training, not on the labels: they are computed once, and a map is a fit of the probes to them.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.bdgf_qgis.raster.samples.tiles import copy_tiles
from bdgf.bdgf_qgis.workflows.session import worker_session
from bdgf.model.bdgf import BDGF, load_model
from bdgf.model.data.sampling import random_corners
from bdgf.model.data.tiles import TileScene
from bdgf.model.job.progress import Span
from bdgf.model.network.ensemble import pooled, sharpened
from bdgf.model.shared.settings import PRESETS
from bdgf.model.training.ensemble_weights import ProbeFamily
from bdgf.tests.benchmarks.accuracy.bdgf_row import BdgfRunner
from bdgf.tests.benchmarks.accuracy.scene import CLASS_FIELD, Samples
from bdgf.tests.model.scene import SilentReporter

_SEED = 0


class PixelMaps:
    """The pixels under some polygons, and maps of them.

    Args:
        stack: the scene's rasters.
        samples: all polygons, those to learn from and those to measure with.
        cache: folder of pre-trained models.

    rows, columns and positions (P,) are the pixels and their true classes, by position in `classes`.
    """

    def __init__(self, stack: ModalityStack, samples: Samples, cache: Path) -> None:
        settings = PRESETS["instant"]
        with worker_session() as worker:
            pretrained = BdgfRunner(worker, "cpu", cache).pretrained(stack, settings, _SEED)[0]
        labels = rasterise_labels(stack, samples.polygons, samples.crs_wkt, CLASS_FIELD, 0.0, _SEED)
        self.classes = labels.classes
        self.shape = stack.grid.height, stack.grid.width
        base, header = load_model(str(pretrained))
        settings = replace(settings, diffusion=header.settings.diffusion, components=header.settings.components)
        self._span = Span(SilentReporter(), "train", 0.0, 1.0)
        with tempfile.TemporaryDirectory() as folder:
            scene = TileScene(copy_tiles(stack, labels, Path(folder), seed=_SEED), list(base.scalers))
            self._model = BDGF(list(base.scalers), base.features.unet, settings, len(labels.classes)).eval()
            self._classifier = self._model.classifier
            corners = random_corners(scene, 32, settings.patch_size, np.random.default_rng(_SEED))
            sample = scene.cut(corners, settings.patch_size)
            self._classifier.local_mean_difference.fit(sample.inputs, sample.valid)
            self._family = ProbeFamily(self._model, scene, np.ones(len(labels.classes)), _SEED)
            points = np.asarray(scene.training)
            self._values = self._family._features(points, self._span)
        self.rows, self.columns, self.positions = points[:, 0], points[:, 1], points[:, 2].astype(np.int64)
        self._number = np.full(self.shape, -1)
        self._number[self.rows, self.columns] = np.arange(len(points))
        self._family._features = lambda some, _: self._values[self._number[some[:, 0], some[:, 1]]]

    def numbers(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Where pixels stand among those under polygons."""
        found: np.ndarray = self._number[rows, columns]
        return found

    @torch.no_grad()
    def probabilities(self, labelled: np.ndarray) -> np.ndarray:
        """Class probabilities (P, K) of all pixels, learned from those of some numbers, each a polygon of its own."""
        order = np.sort(labelled)
        units = np.arange(len(order))
        points = np.stack([self.rows[order], self.columns[order], self.positions[order], units], axis=1)
        self._family._drawn = np.bincount(self.positions[order], minlength=len(self.classes))
        with torch.enable_grad():
            worth = self._family.fit(points, self._span)
        values = torch.from_numpy(self._values)
        answers = []
        for name, probe in self._classifier.probes.items():
            own = values[:, self._classifier.probe_features.slice_of(name)]
            answers.append((probe.basis(own) @ probe.weights.T + probe.bias).log_softmax(dim=1))
        pool = pooled(torch.stack(answers, dim=1), torch.from_numpy(worth.weights).float(), 0)
        found: np.ndarray = sharpened(pool, torch.tensor(worth.sharpness)).numpy()
        return found
