"""Confusion matrices, against scikit-learn on labels rasterised by GDAL alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, ogr
from sklearn import metrics

from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.grid import Grid
from bdgf.bdgf_qgis.raster.output.metadata import KIND, POLYGONS, Lineage
from bdgf.bdgf_qgis.raster.output.outputs import OutputRaster
from bdgf.bdgf_qgis.raster.reading.raster import Raster, describe
from bdgf.bdgf_qgis.raster.samples.assessment import confusion_of
from bdgf.bdgf_qgis.raster.samples.polygon_digests import training_polygons
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon
from bdgf.model.shared.accuracy import accuracy_of
from bdgf.model.shared.infos import ClassInfo
from bdgf.tests.engine.helpers import Recorder
from bdgf.tests.raster.helpers import TRANSFORM, UTM, again, box, make_raster, polygons_of, wkt

CLASSES = (ClassInfo(2, "water", "#0000ff"), ClassInfo(5, "wood", "#00ff00"), ClassInfo(9, "grass", "#ffff00"))


def class_map(path: Path, codes: np.ndarray, classes: tuple[ClassInfo, ...] = CLASSES) -> Raster:
    """A map as Classify writes it; 0 is nodata."""
    grid = Grid(codes.shape[1], codes.shape[0], TRANSFORM, wkt(UTM))
    with OutputRaster(str(path), grid, grid.window, 1, "uint8", 0, classes=classes) as output:
        output.write(grid.window, codes.astype(np.uint8))
        output.commit()
    return describe(str(path), path.stem)


def burnt(polygons: list[Polygon], shape: tuple[int, int]) -> np.ndarray:
    """Integer values of polygons (H, W), 0 without one, by GDAL's own rasteriser; later ones win."""
    dataset = gdal.GetDriverByName("MEM").Create("", shape[1], shape[0], 1, gdal.GDT_UInt16)
    dataset.SetGeoTransform(TRANSFORM)
    vectors = ogr.GetDriverByName("Memory").CreateDataSource("m")
    layer = vectors.CreateLayer("m")
    layer.CreateField(ogr.FieldDefn("v", ogr.OFTInteger))
    for each in polygons:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetField("v", each.value)
        feature.SetGeometry(ogr.CreateGeometryFromWkb(each.wkb))
        layer.CreateFeature(feature)
    gdal.RasterizeLayer(dataset, [1], layer, options=["ATTRIBUTE=v"])
    return dataset.ReadAsArray()


def scattered(random: np.random.Generator, values: list[int], count: int, shape: tuple[int, int]) -> list[Polygon]:
    """Rectangles in places of their own."""
    places = [(row, column) for row in range(0, shape[0] - 20, 20) for column in range(0, shape[1] - 20, 20)]
    chosen = random.permutation(len(places))[:count]
    return [
        box(n, int(random.choice(values)), places[c][1] + random.uniform(0, 5), places[c][0] + random.uniform(0, 5),
            *random.uniform(2, 14, 2))
        for n, c in enumerate(chosen)
    ]  # fmt: skip


def test_figures_are_those_of_scikit_learn(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    shape = (1100, 1300)  # more than one block along each side
    codes = random.choice(np.array([0, 2, 5, 9], np.uint8), shape, p=[0.1, 0.3, 0.3, 0.3])
    polygons = scattered(random, [2, 5, 9, 11], 900, shape)
    found = confusion_of(class_map(tmp_path / "map.tif", codes), polygons, wkt(UTM), "class_id")
    reference = burnt(polygons, shape)
    inside = (reference > 0) & (codes > 0)
    labels = [2, 5, 9, 11]
    wanted = metrics.confusion_matrix(reference[inside], codes[inside], labels=labels)
    assert [each.code for each in found.classes] == labels
    assert [each.name for each in found.classes] == ["water", "wood", "grass", "11"]
    assert np.array(found.confusion).tolist() == wanted.tolist()
    assert found.left_out == ((reference > 0) & (codes == 0)).sum() > 0
    assert sum(found.polygons) == 900 and any("11" in each for each in found.notes)
    accuracy = accuracy_of(found.confusion)
    assert accuracy.overall == pytest.approx(metrics.accuracy_score(reference[inside], codes[inside]))
    assert accuracy.kappa == pytest.approx(metrics.cohen_kappa_score(reference[inside], codes[inside]))
    recall = metrics.recall_score(reference[inside], codes[inside], labels=labels, average=None, zero_division=0)
    assert accuracy.average == pytest.approx(recall.mean())


def test_texts_meet_classes_by_name(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    shape = (200, 220)
    codes = random.choice(np.array([2, 5, 9], np.uint8), shape)
    polygons = scattered(random, [2, 5, 9], 60, shape)
    name = {2: "water", 5: " wood ", 9: "meadow"}
    named = [Polygon(each.fid, each.wkb, name[int(str(each.value))]) for each in polygons]
    source = class_map(tmp_path / "map.tif", codes)
    found = confusion_of(source, named, wkt(UTM), "class_name")
    reference = burnt(polygons, shape)
    inside = reference > 0
    matrix = metrics.confusion_matrix(reference[inside], codes[inside], labels=[2, 5, 9])
    wanted = np.zeros((4, 4), int)
    wanted[:2, :3], wanted[3, :3] = matrix[:2], matrix[2]
    assert [each.code for each in found.classes] == [2, 5, 9, 10]
    assert [each.name for each in found.classes] == ["water", "wood", "grass", "meadow"]
    assert np.array(found.confusion).tolist() == wanted.tolist()
    assert any("meadow" in each for each in found.notes)
    with pytest.raises(RasterError, match=r"None of the classes.*'class_name'.*meadow.*water"):
        confusion_of(source, [Polygon(1, polygons[0].wkb, "meadow")], wkt(UTM), "class_name")


@pytest.mark.parametrize(
    ("values", "field_says"),
    [
        ((2, 5, 9), "numbers"),
        (("2", "05", "9.0"), "whole numbers stored as texts"),
        (("water", "wood", "grass"), "names"),
    ],
)
def test_codes_texts_of_codes_and_names_agree_with_a_map_of_codes_and_names(
    tmp_path: Path, values: tuple[int | str, ...], field_says: str
) -> None:
    codes = np.repeat(np.array([2, 5, 9], np.uint8), 20)[:, None].repeat(40, axis=1)
    polygons = [box(n, value, 5, 20 * n + 5, 10, 10) for n, value in enumerate(values)]
    found = confusion_of(class_map(tmp_path / "map.tif", codes), polygons, wkt(UTM))
    assert [each.code for each in found.classes] == [2, 5, 9], field_says
    assert found.confusion == ((100, 0, 0), (0, 100, 0), (0, 0, 100))
    bare = make_raster(tmp_path / "bare.tif", codes)
    if field_says != "names":
        assert confusion_of(bare, polygons, wkt(UTM)).confusion == found.confusion


def test_a_map_whose_names_are_numbers_is_met_by_name(tmp_path: Path) -> None:
    """As of a field with '10', '100', '9' and one text that is no number: codes by sorted name."""
    named = tuple(ClassInfo(code, name, "#000000") for code, name in ((1, "10"), (2, "100"), (3, "9"), (4, "wood")))
    codes = np.repeat(np.array([1, 2, 3], np.uint8), 20)[:, None].repeat(40, axis=1)
    polygons = [box(n, value, 5, 20 * n + 5, 10, 10) for n, value in enumerate(("10", "100", "9"))]
    found = confusion_of(class_map(tmp_path / "map.tif", codes, named), polygons, wkt(UTM))
    assert found.confusion == ((100, 0, 0), (0, 100, 0), (0, 0, 100))


def test_codes_that_stand_for_other_classes_are_told(tmp_path: Path) -> None:
    codes = np.full((40, 40), 2, np.uint8)
    polygons = [box(1, 5, 5, 5, 4, 4, name="water"), box(2, 2, 15, 5, 4, 4, name="pond")]
    polygons.append(box(3, 9, 25, 5, 4, 4, name="grass"))
    notes = " ".join(confusion_of(class_map(tmp_path / "map.tif", codes), polygons, wkt(UTM)).notes)
    assert "5 is 'water' in the reference and 'wood' in the map" in notes and "pond" not in notes


def test_a_reference_of_another_list_of_classes_is_told(tmp_path: Path) -> None:
    """All names differ, none of them is one of the map's; upper and lower case do not matter."""
    source = class_map(tmp_path / "map.tif", np.full((30, 30), 2, np.uint8))
    other = [box(1, 5, 5, 5, 4, 4, name="road"), box(2, 2, 15, 5, 4, 4, name="roof")]
    (note,) = confusion_of(source, other, wkt(UTM)).notes
    assert "2 is 'roof' in the reference and 'water' in the map" in note
    assert confusion_of(source, [box(1, 2, 5, 5, 4, 4, name="Water")], wkt(UTM)).notes == ()


def test_classes_that_the_map_does_not_have_are_refused(tmp_path: Path) -> None:
    codes = np.full((40, 40), 2, np.uint8)
    polygons = [box(1, 7, 5, 5, 4, 4), box(2, 8, 15, 5, 4, 4)]
    said = r"None of the classes in the field 'kind' \(7, 8\) is a class of"
    with pytest.raises(RasterError, match=said + r" 'map' \(2 water, 5 wood, 9 grass\)"):
        confusion_of(class_map(tmp_path / "map.tif", codes), polygons, wkt(UTM), "kind")
    with pytest.raises(RasterError, match=said + r" 'bare' \(2\)"):
        confusion_of(make_raster(tmp_path / "bare.tif", codes), polygons, wkt(UTM), "kind")


def test_polygons_that_the_model_was_trained_on_are_told_first(tmp_path: Path) -> None:
    codes = np.full((40, 40), 2, np.uint8)
    drawn = [box(n, 2, 5 * n, 5, 4, 4) for n in range(3)]
    source = class_map(tmp_path / "map.tif", codes)
    lineage = Lineage("classes", polygons=training_polygons(drawn[:2], wkt(UTM), ["water", "wood", "grass"]))
    dataset = gdal.Open(source.path, gdal.GA_Update)
    for key, text in lineage.metadata().items():
        dataset.SetMetadataItem(key, text)
    dataset = None
    source = again(source)
    said = "reference polygons are polygons that the model was trained on: the figures say how well it remembers"
    off = box(9, None, 1, 30, 4, 4)  # without a class it does not count
    some = confusion_of(source, [*drawn, off], wkt(UTM))
    assert some.trained_on == 2 and some.notes[0].startswith(f"2 of 3 {said}")
    every = confusion_of(source, drawn[:2], wkt(UTM))
    assert every.trained_on == 2 and every.notes[0].startswith(f"All 2 {said}")
    new = confusion_of(source, drawn[2:], wkt(UTM))
    assert new.trained_on == 0 and new.notes == ()


def test_values_of_the_training_field_meet_the_names_that_another_field_gave(tmp_path: Path) -> None:
    codes = np.full((40, 40), 5, np.uint8)
    source = class_map(tmp_path / "map.tif", codes)
    gdal.Open(source.path, gdal.GA_Update).SetMetadataItem(
        POLYGONS, '{"count": 3, "digests": [], "values": ["wtr", "wd", "grs"]}'
    )
    found = confusion_of(again(source), [box(1, "wd", 5, 5, 4, 4), box(2, "grass", 15, 5, 4, 4)], wkt(UTM))
    assert [each.name for each in found.classes] == ["wood", "grass"] and found.confusion == ((16, 0), (16, 0))


def test_what_is_no_class_raster_is_refused(tmp_path: Path) -> None:
    polygons = [box(1, 1, 5, 5, 4, 4), box(2, 2, 15, 5, 4, 4)]
    image = make_raster(tmp_path / "image.tif", np.ones((24, 40, 40), np.uint16))
    with pytest.raises(RasterError, match=r"'image' has 24 bands: choose a class raster, which has one band"):
        confusion_of(image, polygons, wkt(UTM))
    for kind in ("confidence", "probabilities"):
        result = make_raster(tmp_path / f"{kind}.tif", np.ones((40, 40), np.uint16))
        gdal.Open(result.path, gdal.GA_Update).SetMetadataItem(KIND, kind)
        with pytest.raises(RasterError, match=rf"'{kind}' is the .*choose the land-cover map itself"):
            confusion_of(again(result), polygons, wkt(UTM))
    heights = make_raster(tmp_path / "heights.tif", np.arange(1600, dtype=np.uint16).reshape(40, 40))
    with pytest.raises(RasterError, match=r"'heights' holds more than 1,000 different values"):
        confusion_of(heights, [box(1, 1, 0, 0, 40, 40)], wkt(UTM))


def test_texts_need_class_names_in_the_map(tmp_path: Path) -> None:
    source = make_raster(tmp_path / "bare.tif", np.ones((50, 50), np.uint8))
    with pytest.raises(RasterError, match=r"'bare' holds no class names.*'kind'"):
        confusion_of(source, [box(1, "wood", 5, 5, 4, 4)], wkt(UTM), "kind")


def test_conflicts_thin_polygons_and_polygons_off_the_map(tmp_path: Path) -> None:
    codes = np.full((60, 60), 5, np.uint8)
    codes[:, 30:] = 2
    polygons = [
        box(1, 5, 10, 10, 10, 10),
        box(2, 2, 15, 10, 10, 10),
        box(3, 5, 28, 40.6, 4, 0.2),
        box(4, 2, 200, 200, 5, 5),
        box(5, None, 50, 50, 5, 5),
        Polygon(6, b"", 2),
    ]
    found = confusion_of(class_map(tmp_path / "map.tif", codes), polygons, wkt(UTM))
    assert found.conflicts == 50 and found.polygons == (1, 2)
    assert [each.code for each in found.classes] == [2, 5]
    assert found.confusion == ((0, 50), (2, 50 + 2))
    text = " ".join(found.notes)
    assert "50 pixels claimed" in text and "1 reference polygon off the map" in text
    assert "1 polygon without a class" in text and "no geometry): 6" in text


def test_class_zero_is_a_class_where_nodata_is_another_value(tmp_path: Path) -> None:
    codes = np.zeros((40, 40), np.uint8)
    codes[:, 20:] = 255
    source = make_raster(tmp_path / "map.tif", codes, nodata=255)
    found = confusion_of(source, [box(1, 0, 10, 10, 20, 5), box(2, 3, 0, 30, 2, 2)], wkt(UTM))
    assert [each.code for each in found.classes] == [0, 3] and found.left_out == 50
    assert found.confusion == ((50, 0), (4, 0))


def test_a_float_class_raster_is_read_and_fractions_are_refused(tmp_path: Path) -> None:
    codes = np.full((30, 30), 4, np.float32)
    polygons = [box(1, 4, 5, 5, 4, 4), box(2, 6, 15, 5, 4, 4)]
    found = confusion_of(make_raster(tmp_path / "map.tif", codes), polygons, wkt(UTM))
    assert found.confusion == ((16, 0), (16, 0))
    with pytest.raises(RasterError, match="'height' holds fractions"):
        confusion_of(make_raster(tmp_path / "height.tif", codes + 0.5), polygons, wkt(UTM))


@pytest.mark.parametrize(
    ("polygons", "message"),
    [
        ([], "holds no polygon"),
        ([box(1, 2, 300, 300, 5, 5)], "No reference polygon lies where 'map' has a class"),
        ([box(1, 2, 0, 0, 5, 5)], "No reference polygon lies where 'map' has a class"),
        ([box(1, None, 20, 20, 5, 5)], "is empty in every polygon"),
    ],
)
def test_what_cannot_be_assessed(tmp_path: Path, polygons: list[Polygon], message: str) -> None:
    codes = np.full((60, 60), 5, np.uint8)
    codes[:10, :10] = 0
    with pytest.raises(RasterError, match=message):
        confusion_of(class_map(tmp_path / "map.tif", codes), polygons, wkt(UTM))


def test_progress_and_cancel(tmp_path: Path) -> None:
    codes = np.full((1100, 60), 5, np.uint8)
    source = class_map(tmp_path / "map.tif", codes)
    shown = Recorder()
    polygons = [box(1, 5, 5, 5, 4, 1090), box(2, 2, 20, 5, 4, 4)]
    confusion_of(source, polygons, wkt(UTM), feedback=shown)
    assert [share for _, share, _ in shown.bar] == [0.5, 1.0]
    with pytest.raises(RunCancelled):
        confusion_of(source, polygons, wkt(UTM), feedback=Recorder(lambda recorder: True))


def test_a_published_map_against_its_own_polygons(scenes: Callable[[str], Path]) -> None:
    """All polygons were drawn on this map, so it agrees with every one of their pixels."""
    folder = scenes("nc_landsat")
    source = describe(str(folder / "landclass96_reference.tif"), "map")
    assert source.grid.wkt
    polygons, crs = polygons_of(folder / "validation_polygons.gpkg")
    found = confusion_of(source, polygons, crs, "class_id")
    assert accuracy_of(found.confusion).overall == 1.0
    assert len(found.classes) == 7 and accuracy_of(found.confusion).pixels >= 1491
