"""Pixels of polygons, against a test of every pixel centre."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal, ogr

from bdgf.bdgf_qgis.raster.grid import Grid, Window
from bdgf.bdgf_qgis.raster.samples.rasterise import is_thin
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon, Shape, shapes_of
from bdgf.tests.raster.helpers import box, mask_of, pixels_of, ring_wkb

PLAIN = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
GRID = Grid(40, 30, PLAIN, "")


def shape_of(*rings: np.ndarray) -> Shape:
    """A polygon whose rings are given in pixels."""
    points = [[(float(x), -float(y)) for x, y in ring] for ring in rings]
    (shape,) = shapes_of([Polygon(1, ring_wkb(*points))], "", GRID).shapes
    return shape


def star(random: np.random.Generator, corners: int, centre: tuple[float, float], size: float) -> np.ndarray:
    """A ring that never crosses itself."""
    angle = np.sort(random.uniform(0, 2 * np.pi, corners))
    radius = random.uniform(0.2, 1, corners) * size
    return np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], axis=1)


def inside(x: np.ndarray, y: np.ndarray, *rings: np.ndarray) -> np.ndarray:
    """Even-odd test of points by the angle that the rings turn around them."""
    turns = np.zeros(x.shape, int)
    for ring in rings:
        closed = np.vstack([ring, ring[:1]])
        angle = np.arctan2(closed[:, 1, None] - y.ravel(), closed[:, 0, None] - x.ravel())
        step = (np.diff(angle, axis=0) + np.pi) % (2 * np.pi) - np.pi
        turns += np.abs(np.round(step.sum(axis=0) / (2 * np.pi))).astype(int).reshape(x.shape)
    return turns % 2 == 1


def test_pixels_are_those_whose_centre_lies_inside() -> None:
    random = np.random.default_rng(11)
    x, y = np.meshgrid(np.arange(40) + 0.5, np.arange(30) + 0.5)
    for number in range(150):
        centre = tuple(random.uniform(-3, 40, 2))
        outer = star(random, int(random.integers(3, 30)), centre, random.uniform(0.5, 25))
        rings = [outer]
        if number % 3 == 0:
            hole = outer * 0.4 + np.array(centre) * 0.6
            rings.append(hole)
        wanted = inside(x, y, *rings)
        shape = shape_of(*rings)
        if wanted.any():
            assert (mask_of([shape], GRID.window) == wanted).all()
            assert not is_thin(shape)


def test_a_plain_rasteriser_agrees() -> None:
    random = np.random.default_rng(12)
    for _ in range(30):
        shape = shape_of(star(random, 17, (20, 15), 22))
        dataset = gdal.GetDriverByName("MEM").Create("", 40, 30, 1)
        dataset.SetGeoTransform(PLAIN)
        vectors = ogr.GetDriverByName("Memory").CreateDataSource("m")
        layer = vectors.CreateLayer("m")
        feature = ogr.Feature(layer.GetLayerDefn())
        flipped = ogr.CreateGeometryFromWkt(shape.geometry.ExportToWkt())
        for part in flipped:
            for ring in part:
                for place in range(ring.GetPointCount()):
                    ring.SetPoint_2D(place, ring.GetX(place), -ring.GetY(place))
        feature.SetGeometry(flipped)
        layer.CreateFeature(feature)
        gdal.RasterizeLayer(dataset, [1], layer, burn_values=[1])
        assert (mask_of([shape], GRID.window) == (dataset.ReadAsArray() > 0)).all()


def test_the_window_does_not_matter() -> None:
    random = np.random.default_rng(13)
    for _ in range(40):
        shape = shape_of(star(random, 12, (20, 15), 20))
        whole = mask_of([shape], Window(-50, -50, 150, 150))
        for window in Window(-20, -20, 80, 80).cells(13):
            rows, columns = window.row + 50, window.column + 50
            part = whole[rows : rows + window.height, columns : columns + window.width]
            assert (mask_of([shape], window) == part).all()


def test_neighbours_with_a_common_border_share_no_pixel_and_leave_none() -> None:
    """Borders run through pixel centres on purpose."""
    shapes = shapes_of(
        [box(n, 1, x, y, 2.5, 3.5, PLAIN) for n, (x, y) in enumerate((x, y) for x in (0.5, 3, 5.5) for y in (0.5, 4))],
        "",
        GRID,
    ).shapes
    count = np.zeros((30, 40), int)
    for shape in shapes:
        rows, columns, _ = pixels_of(shape, GRID.window)
        count[rows, columns] += 1
    covered = np.zeros_like(count)
    covered[0:7, 0:8] = 1
    assert (count == covered).all()


@pytest.mark.parametrize(
    ("ring", "pixels"),
    [
        ([(3.1, 4.2), (3.4, 4.2), (3.4, 4.4), (3.1, 4.4)], {(4, 3)}),
        ([(3.0, 4.0), (3.4, 4.0), (3.4, 4.4), (3.0, 4.4)], {(4, 3)}),
        ([(2.6, 4.0), (3.0, 4.0), (3.0, 4.4), (2.6, 4.4)], {(4, 2)}),
        ([(1.2, 5.1), (6.3, 5.1), (6.3, 5.3), (1.2, 5.3)], {(5, column) for column in range(1, 7)}),
        ([(3.9, 2.9), (4.2, 2.9), (4.2, 3.1), (3.9, 3.1)], {(2, 3), (2, 4), (3, 3), (3, 4)}),
    ],
)
def test_a_polygon_without_a_pixel_centre_takes_what_it_touches(ring: list, pixels: set) -> None:
    shape = shape_of(np.array(ring))
    rows, columns, thin = pixels_of(shape, GRID.window)
    assert thin and is_thin(shape)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == pixels
    part = Window(0, 0, 30, 4)
    rows, columns, _ = pixels_of(shape, part)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {each for each in pixels if each[1] < 4}


def test_a_thin_diagonal_takes_every_pixel_it_covers_a_part_of() -> None:
    random = np.random.default_rng(14)
    found = 0
    for _ in range(300):
        start, end = random.uniform(2, 25, 2), random.uniform(2, 25, 2)
        across = np.array([start[1] - end[1], end[0] - start[0]]) / np.hypot(*(end - start)) * 0.02
        ring = np.array([start, end, end + across, start + across])
        shape = shape_of(ring)
        rows, columns, thin = pixels_of(shape, GRID.window)
        if not thin:
            continue
        found += 1
        wanted = set()
        for row in range(30):
            for column in range(40):
                corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
                cell = ogr.CreateGeometryFromWkb(ring_wkb(corners))
                if shape.geometry.Intersects(cell) and shape.geometry.Intersection(cell).GetArea() > 0:
                    wanted.add((row, column))
        assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == wanted
        if found == 12:
            return
    raise AssertionError("too few thin polygons drawn")


def test_a_polygon_off_the_grid_has_no_pixel() -> None:
    rows, columns, thin = pixels_of(shape_of(np.array([(50, 5), (60, 5), (60, 9)])), GRID.window)
    assert len(rows) == len(columns) == 0 and not thin
