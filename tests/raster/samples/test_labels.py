"""Labelled pixels of drawn polygons."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from osgeo import osr

from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.reading.stack import ModalityStack, open_stack
from bdgf.bdgf_qgis.raster.samples.hold_out import Distance
from bdgf.bdgf_qgis.raster.samples.labels import Labels, rasterise_labels
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon
from bdgf.tests.engine.helpers import Recorder
from bdgf.tests.raster.helpers import UTM, box, make_raster, ring_wkb, wkt


@pytest.fixture
def stack(tmp_path: Path) -> ModalityStack:
    """100 x 120 pixels; the last 20 columns are nodata."""
    array = np.ones((100, 120), np.uint8)
    array[:, 100:] = 0
    return open_stack([make_raster(tmp_path / "scene.tif", array, nodata=0)])


def drawn(labels: Labels, shape: tuple[int, int] = (100, 120)) -> np.ndarray:
    """Codes (H, W), -1 without a label."""
    codes = np.full(shape, -1)
    for row, column, position, _ in labels.points:
        assert codes[row, column] == -1, "each pixel once"
        codes[row, column] = labels.classes[position].code
    return codes


def label(stack: ModalityStack, *polygons: Polygon, holdout: float = 0, seed: int = 0) -> Labels:
    return rasterise_labels(stack, polygons, wkt(UTM), "class_id", holdout, seed)


def test_pixels_classes_and_nodata(stack: ModalityStack) -> None:
    labels = label(stack, box(1, 4, 10, 5, 8, 6), box(2, 0, 90, 50, 25, 4), box(3, 4, 30, 30, 2, 2))
    wanted = np.full((100, 120), -1)
    wanted[5:11, 10:18] = wanted[30:32, 30:32] = 4
    wanted[50:54, 90:100] = 0
    assert (drawn(labels) == wanted).all()
    assert [each.code for each in labels.classes] == [0, 4], "class 0 is a class"
    assert labels.points.dtype == np.int32 and not labels.held.any()
    assert [each.training_pixels for each in labels.counts] == [40, 52]
    assert [each.training_polygons for each in labels.counts] == [1, 2]
    assert labels.warnings == ()


def test_points_are_in_the_order_of_the_raster(stack: ModalityStack) -> None:
    points = label(stack, box(9, 2, 3, 40, 5, 5), box(1, 1, 50, 2, 5, 5)).points
    order = np.lexsort((points[:, 1], points[:, 0]))
    assert (order == np.arange(len(points))).all()


def test_a_pixel_of_two_classes_is_dropped_and_counted(stack: ModalityStack) -> None:
    blocks = [box(1, 1, 10, 10, 10, 10), box(2, 2, 15, 10, 10, 10)]
    labels = label(stack, *blocks, box(3, 2, 96, 10, 10, 2), box(4, 1, 99, 10, 9, 2))
    codes = drawn(labels)
    assert (codes[10:20, 15:20] == -1).all() and (codes[10:20, 10:15] == 1).all() and (codes[10:20, 20:25] == 2).all()
    assert any("52 pixels claimed by two classes" in each for each in labels.warnings), "50 + 2: valid pixels only"


def test_overlaps_of_one_class_count_once_and_are_one_unit(stack: ModalityStack) -> None:
    labels = label(stack, box(1, 1, 10, 10, 10, 10), box(2, 1, 15, 10, 10, 10), box(3, 2, 60, 60, 3, 3))
    assert (drawn(labels) == 1).sum() == 150
    assert len(np.unique(labels.points[labels.points[:, 2] == 0, 3])) == 1
    assert labels.counts[0].training_polygons == 2


def test_a_thin_polygon_takes_the_pixels_it_touches(stack: ModalityStack) -> None:
    labels = label(stack, box(1, 1, 20.1, 30.6, 6, 0.2), box(2, 2, 60, 60, 3, 3))
    rows, columns = np.nonzero(drawn(labels) == 1)
    assert set(rows) == {30} and columns.tolist() == [20, 21, 22, 23, 24, 25, 26]
    assert any("1 polygon too thin" in each for each in labels.warnings)


def test_polygons_without_a_class_are_counted(stack: ModalityStack) -> None:
    labels = label(stack, box(1, 1, 10, 10, 3, 3), box(2, 2, 20, 10, 3, 3), box(3, None, 30, 10, 3, 3))
    assert len(labels.points) == 18
    assert any("1 polygon without a class" in each for each in labels.warnings)


def test_broken_geometry_is_repaired_or_listed(stack: ModalityStack) -> None:
    tie = box(1, 1, 10, 10, 12, 12)
    west, north = 400_100.0, 5_799_900.0
    corners = [(west, north), (west + 120, north - 120), (west + 120, north), (west, north - 120)]
    tie = replace(tie, wkb=ring_wkb(corners))
    labels = label(stack, tie, box(2, 2, 60, 60, 3, 3), Polygon(5, b"", 2))
    assert 55 <= (drawn(labels) == 1).sum() <= 90
    assert any("repaired in polygons 1." in each for each in labels.warnings)
    assert any("no geometry): 5." in each for each in labels.warnings)


def test_a_class_without_a_valid_pixel_is_dropped_with_a_warning(stack: ModalityStack) -> None:
    labels = label(stack, *[box(n, n, x, 10, 3, 3) for n, x in ((1, 10), (2, 105), (3, 500), (9, 20))])
    assert [each.code for each in labels.classes] == [1, 9]
    assert set(labels.points[:, 2]) == {0, 1}
    assert all(any(f"'{name}' has no valid pixel" in each for each in labels.warnings) for name in (2, 3))


@pytest.mark.parametrize(
    ("polygons", "message"),
    [
        ([], "holds no polygon"),
        ([box(1, 1, 105, 5, 3, 3), box(2, 2, 105, 50, 3, 3)], "No polygon lies on valid pixels"),
        ([box(1, 1, 10, 5, 3, 3), box(2, 1, 50, 50, 3, 3)], "belong to one class, '1'"),
        ([box(1, 1, 10, 5, 3, 3), box(2, 2, 105, 50, 3, 3)], "belong to one class, '1'"),
        ([box(1, None, 10, 5, 3, 3)], "'class_id' is empty"),
        ([box(1, 1.5, 10, 5, 3, 3)], "whole numbers"),
    ],
)
def test_what_nothing_can_be_learnt_from(stack: ModalityStack, polygons: list[Polygon], message: str) -> None:
    with pytest.raises(RasterError, match=message):
        label(stack, *polygons)


def test_held_out_polygons_are_whole_and_apart(stack: ModalityStack) -> None:
    random = np.random.default_rng(7)
    places = random.uniform(0, 95, (60, 2))
    polygons = [box(fid, "ab"[fid % 2], *place, 4, 4) for fid, place in enumerate(places)]
    labels = label(stack, *polygons, holdout=0.3, seed=3)
    held, training = set(labels.held_out[:, 3].tolist()), set(labels.training[:, 3].tolist())
    assert held and training and not held & training
    for position in (0, 1):
        units = np.unique(labels.points[labels.points[:, 2] == position, 3])
        own = np.unique(labels.held_out[labels.held_out[:, 2] == position, 3])
        assert len(own) == max(1, round(len(units) * 0.3))
        far = labels.training[labels.training[:, 2] == position, :2]
        near = labels.held_out[labels.held_out[:, 2] == position, :2]
        assert np.sqrt(((near[:, None] - far[None]) ** 2).sum(axis=2)).min() > 2
    counts = labels.counts
    assert sum(each.training_pixels for each in counts) == len(labels.training)
    assert sum(each.held_out_pixels for each in counts) == len(labels.held_out)
    again = label(stack, *reversed(polygons), holdout=0.3, seed=3)
    assert (again.points == labels.points).all() and (again.held == labels.held).all()
    assert again.digest == labels.digest
    assert label(stack, *polygons, holdout=0.3, seed=4).digest != labels.digest


def test_figures_name_the_classes_they_cover_and_the_least_distance(stack: ModalityStack) -> None:
    few = [box(1, 1, 5, 5, 3, 3), box(2, 1, 50, 5, 3, 3)]
    many = [box(10 + n, 2, 5 + 20 * n, 40, 3, 3) for n in range(4)]
    labels = label(stack, *few, *many, holdout=0.2)
    assert [each.code for each in labels.covered] == [2]
    assert labels.counts[0].held_out_polygons == 0 and labels.counts[1].held_out_polygons == 1
    assert labels.distance is not None and labels.distance.pixels == pytest.approx(17)
    assert labels.distance.map_units == pytest.approx(170)
    assert "1 of 2 classes: 2 (1 polygon)" in labels.coverage[0] and "17.0 pixels (170 map units)" in labels.coverage[1]
    odd = dataclasses.replace(labels, distance=Distance(26.1, 52.1469))
    assert "26.1 pixels (52.1 map units)" in odd.coverage[1], "no more digits than matter"
    assert any("fewer than 3" in each and each.rstrip(".").endswith("1") for each in labels.warnings)
    assert label(stack, *few, *many).coverage == ()


def test_polygons_lie_in_their_own_crs(stack: ModalityStack) -> None:
    here, there = osr.SpatialReference(), osr.SpatialReference()
    here.ImportFromEPSG(UTM)
    there.ImportFromEPSG(3035)
    there.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    change = osr.CoordinateTransformation(here, there)
    corners = [(400_103, 5_799_897), (400_207, 5_799_891), (400_203, 5_799_792), (400_098, 5_799_801)]
    moved = [change.TransformPoint(*map(float, each))[:2] for each in corners]
    two = [Polygon(1, ring_wkb(corners), 1), box(2, 2, 60, 60, 3, 3)]
    wanted = drawn(label(stack, *two))
    second = change.TransformPoint(400_700.0, 5_799_300.0)[:2]
    other = Polygon(2, ring_wkb([second, (second[0] + 50, second[1]), (second[0] + 50, second[1] - 50)]), 2)
    labels = rasterise_labels(stack, [Polygon(1, ring_wkb(moved), 1), other], there.ExportToWkt(), holdout=0)
    assert ((drawn(labels) == 1) == (wanted == 1)).all() and (wanted == 1).sum() > 80


def test_coordinates_without_a_crs_are_taken_as_they_are(tmp_path: Path, stack: ModalityStack) -> None:
    bare = open_stack([make_raster(tmp_path / "bare.tif", np.ones((100, 120), np.uint8), epsg=None)])
    polygons = [box(1, 1, 10, 10, 3, 3), box(2, 2, 20, 10, 3, 3)]
    for scene, crs in ((bare, wkt(4326)), (bare, ""), (stack, "")):
        labels = rasterise_labels(scene, polygons, crs, holdout=0)
        assert len(labels.points) == 18
        assert bool(labels.warnings) == (bool(crs) != bool(scene.grid.wkt))


def test_cancel_is_honoured(stack: ModalityStack) -> None:
    polygons = [box(1, 1, 10, 10, 3, 3), box(2, 2, 9, 9, 1, 1)]
    with pytest.raises(RunCancelled):
        rasterise_labels(stack, polygons, wkt(UTM), feedback=Recorder(lambda recorder: True))
