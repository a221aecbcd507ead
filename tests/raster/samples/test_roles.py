"""What polygons are drawn for: to learn from, for the accuracy figures, or for nothing yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack, open_stack
from bdgf.bdgf_qgis.raster.samples.labels import Labels, rasterise_labels
from bdgf.bdgf_qgis.raster.samples.shapes import IGNORE, VALIDATE, Polygon
from bdgf.tests.raster.helpers import UTM, box, make_raster, wkt


@pytest.fixture
def stack(tmp_path: Path) -> ModalityStack:
    """100 x 120 pixels; the last 20 columns are nodata."""
    array = np.ones((100, 120), np.uint8)
    array[:, 100:] = 0
    return open_stack([make_raster(tmp_path / "scene.tif", array, nodata=0)])


def label(stack: ModalityStack, *polygons: Polygon, holdout: float = 0.5) -> Labels:
    return rasterise_labels(stack, polygons, wkt(UTM), "class_id", holdout, 0)


def held(labels: Labels) -> set[tuple[int, int]]:
    return {(int(row), int(column)) for row, column, _, _ in labels.held_out}


def as_role(polygon: Polygon, role: str) -> Polygon:
    return replace(polygon, role=role)


TRAINING = [box(number, 1 + number % 2, 4 + 8 * number, 5, 4, 4) for number in range(8)]


def test_polygons_for_validation_are_held_out_and_no_others(stack: ModalityStack) -> None:
    labels = label(stack, *TRAINING, as_role(box(9, 1, 10, 50, 3, 3), VALIDATE))
    assert held(labels) == {(row, column) for row in range(50, 53) for column in range(10, 13)}
    assert labels.trained == tuple(range(8))
    assert [counts.held_out_polygons for counts in labels.counts] == [1, 0]
    assert any("Classes without a polygon for validation" in text and text.endswith("2.") for text in labels.warnings)
    assert "The accuracy figures come from 1 polygon with the role 'validate' alone." in labels.notes


@pytest.mark.parametrize("holdout", [0, 0.5])
def test_a_polygon_for_validation_is_kept_from_training_that_it_touches(stack: ModalityStack, holdout: float) -> None:
    touching = as_role(box(9, 1, 8, 5, 4, 4), VALIDATE)  # beside the first training polygon, of its class
    labels = label(stack, *TRAINING, touching, holdout=holdout)
    assert held(labels) == {(row, column) for row in range(5, 9) for column in range(8, 12)}
    assert labels.distance is not None and labels.distance.pixels == 0


def test_ignored_polygons_are_as_if_they_were_not_there(stack: ModalityStack) -> None:
    ignored = [as_role(box(9, 2, 4, 5, 4, 4), IGNORE), as_role(box(10, 7, 60, 60, 4, 4), IGNORE)]
    with_them, without = label(stack, *TRAINING, *ignored), label(stack, *TRAINING)
    assert with_them.digest == without.digest, "neither a conflict nor a class"
    assert "2 polygons with the role 'ignore' left out." in with_them.notes


def test_a_class_that_has_nothing_to_learn_from_is_left_out(stack: ModalityStack) -> None:
    labels = label(stack, *TRAINING, as_role(box(9, 3, 10, 50, 3, 3), VALIDATE), holdout=0)
    assert [info.code for info in labels.classes] == [1, 2] and not labels.held.any()
    assert "The class '3' has polygons for validation alone and is left out." in labels.warnings


def test_what_cannot_be_learned_from_is_said(stack: ModalityStack) -> None:
    with pytest.raises(RasterError, match="Every polygon has the role 'ignore'"):
        label(stack, *(as_role(polygon, IGNORE) for polygon in TRAINING))
    beyond = box(20, 3, 105, 50, 3, 3)
    with pytest.raises(RasterError, match="class '3' is to be learned from lie on no valid pixel"):
        label(stack, *TRAINING, beyond, as_role(box(21, 3, 10, 50, 3, 3), VALIDATE))
