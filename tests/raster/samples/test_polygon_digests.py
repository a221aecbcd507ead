"""Polygons are known again however they were copied, and no others are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, ogr

from bdgf.bdgf_qgis.raster.samples.polygon_digests import digests_of, remembered, training_polygons
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon
from bdgf.model.shared.infos import MOST_DIGESTS
from bdgf.tests.raster.helpers import UTM, box, polygons_of, ring_wkb, wkt

OUTER = [(400_010.3, 5_799_900.7), (400_510.1, 5_799_910.2), (400_330.9, 5_799_500.4), (400_020.5, 5_799_600.6)]
INNER = [(400_100.25, 5_799_850.5), (400_200.75, 5_799_850.5), (400_150.5, 5_799_800.125)]


def digest(wkb: bytes, epsg: int | None = UTM) -> int | None:
    return digests_of([Polygon(1, wkb)], wkt(epsg))[0]


def test_order_direction_kind_and_height_do_not_matter() -> None:
    plain = digest(ring_wkb(OUTER, INNER))
    turned = [*OUTER[2:], *OUTER[:2]][::-1]
    assert digest(ring_wkb(turned, INNER[::-1])) == plain != digest(ring_wkb(OUTER))
    multi = ogr.ForceToMultiPolygon(ogr.CreateGeometryFromWkb(ring_wkb(OUTER, INNER)))
    multi.Set3D(True)
    assert digest(bytes(multi.ExportToWkb(ogr.wkbXDR))) == plain
    moved = [(OUTER[0][0] + 0.1, OUTER[0][1]), *OUTER[1:]]
    assert digest(ring_wkb(moved, INNER)) != plain


@pytest.mark.parametrize(
    ("format_", "system"), [("GPKG", "EPSG:4326"), ("GPKG", "EPSG:3857"), ("GeoJSON", "EPSG:4326")]
)
def test_copies_in_other_systems_and_formats_are_known(tmp_path: Path, format_: str, system: str) -> None:
    vectors = ogr.GetDriverByName("GPKG").CreateDataSource(str(tmp_path / "drawn.gpkg"))
    layer = vectors.CreateLayer("drawn", _system(), ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("class_id", ogr.OFTInteger))
    random = np.random.default_rng(1)
    for number in range(200):
        feature = ogr.Feature(layer.GetLayerDefn())
        drawn = box(number, 1, *random.uniform(0, 900, 2), *random.uniform(1, 9, 2))
        feature.SetGeometry(ogr.CreateGeometryFromWkb(drawn.wkb))
        layer.CreateFeature(feature)
    vectors = layer = None
    copy = tmp_path / f"copy.{format_.lower()}"
    gdal.VectorTranslate(str(copy), str(tmp_path / "drawn.gpkg"), format=format_, dstSRS=system, reproject=True)
    drawn, there = polygons_of(tmp_path / "drawn.gpkg"), polygons_of(copy)
    found = remembered(training_polygons(*drawn, ["1"]), *there)
    assert (found.count, found.exact) == (200, True)
    assert found.known == 200


def _system() -> object:
    from osgeo import osr

    system = osr.SpatialReference()
    system.ImportFromEPSG(UTM)
    return system


def test_without_a_system_coordinates_count_as_they_are() -> None:
    assert digest(ring_wkb(OUTER), None) == digest(ring_wkb(OUTER[::-1]), None) != digest(ring_wkb(OUTER))
    far = [(1e15, 0.0), (1e15, 3.0), (2e15, 0.0)]
    assert digest(ring_wkb(far), None) is not None
    assert digest(ring_wkb(far)) is None, "outside of the system's area"


def test_what_is_no_polygon_has_no_digest() -> None:
    point = ogr.CreateGeometryFromWkt("POINT (1 2)")
    assert digests_of([Polygon(1, b""), Polygon(2, b"no"), Polygon(3, bytes(point.ExportToWkb()))], "") == [None] * 3
    assert remembered(training_polygons([Polygon(1, b"")], "", ()), [Polygon(1, b"")], "").known == 0


def test_of_very_many_polygons_a_sample_is_kept() -> None:
    drawn = [box(number, 1, number, 0, 1, 1) for number in range(4 * MOST_DIGESTS)]
    kept = training_polygons(drawn, wkt(UTM), ["1"])
    assert len(kept.digests) == MOST_DIGESTS and kept.count == len(drawn)
    found = remembered(kept, drawn[:400], wkt(UTM))
    assert 60 < found.known < 140 and not found.exact, "a quarter of them"
    assert found.sentence.startswith(
        f"At least {found.known} of 400 reference polygons are polygons that the model was"
    )
