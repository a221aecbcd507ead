"""Which raster is which modality of a model."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.reading.raster import Raster, describe
from bdgf.bdgf_qgis.workflows.matching import match_modalities
from bdgf.model.shared.infos import ModalityInfo


@pytest.fixture
def raster(tmp_path):
    """Makes a raster with named bands; '' leaves a band without a name."""

    def make(name: str, *bands: str) -> Raster:
        path = tmp_path / f"{name}.tif"
        dataset = gdal.GetDriverByName("GTiff").Create(str(path), 4, 4, len(bands), gdal.GDT_Int16)
        for number, band in enumerate(bands, 1):
            dataset.GetRasterBand(number).SetDescription(band)
            dataset.GetRasterBand(number).WriteArray(np.full((4, 4), number, np.int16))
        dataset = None
        return describe(str(path), name)

    return make


def modality(name: str, *bands: str) -> ModalityInfo:
    return ModalityInfo(name, bands, "uint8")


IMAGE, HEIGHT = modality("image", "red", "green", "blue"), modality("height", "Band 1")


def names(match) -> list[str]:
    return [each.name for each in match.rasters]


def test_the_order_given_is_kept_where_it_fits(raster):
    match = match_modalities([raster("a", "red", "green", "blue"), raster("b", "")], [IMAGE, HEIGHT])
    assert names(match) == ["a", "b"] and match.notes == ()
    assert match.bands == (("red", "green", "blue"), ("Band 1",))


def test_another_order_is_used_and_told(raster):
    match = match_modalities([raster("b", ""), raster("a", "red", "green", "blue")], [IMAGE, HEIGHT])
    assert names(match) == ["a", "b"]
    assert "another order" in match.notes[0] and "'a' as image" in match.notes[0]


def test_bands_are_found_by_name_among_others_and_in_any_order(raster):
    match = match_modalities([raster("a", "blue", "extra", "green", "red")], [IMAGE])
    assert match.bands == (("red", "green", "blue"),)
    assert match.notes == ("'a' has 4 bands; those that the model was trained on are used: red, green, blue.",)


def test_an_order_that_fits_band_for_band_comes_first(raster):
    pair = [modality("one", "Band 1"), modality("two", "Band 1", "Band 2")]
    assert names(match_modalities([raster("b", "", ""), raster("a", "")], pair)) == ["a", "b"]
    pair = [modality("one", "Band 1"), modality("two", "Band 1")]
    match = match_modalities([raster("b", "", ""), raster("a", "")], pair)
    assert names(match) == ["b", "a"] and "'b' has 2 bands" in match.notes[0]


def test_names_count_more_than_numbers(raster):
    other = modality("radar", "VV", "VH", "ratio")
    sources = [raster("sar", "VV", "VH", "ratio"), raster("rgb", "red", "green", "blue")]
    match = match_modalities(sources, [IMAGE, other])
    assert names(match) == ["rgb", "sar"] and len(match.notes) == 1


def test_other_names_in_equal_number_are_taken_by_their_order(raster):
    match = match_modalities([raster("b", ""), raster("a", "x", "y", "z")], [IMAGE, HEIGHT])
    assert names(match) == ["a", "b"] and match.bands[0] == ("x", "y", "z")
    assert any("Band names differ" in each for each in match.notes)


def test_equal_rasters_in_the_order_given(raster):
    one, two = modality("one", "Band 1"), modality("two", "Band 1")
    assert names(match_modalities([raster("two", ""), raster("one", "")], [one, two])) == ["two", "one"]


def test_what_does_not_fit_is_refused_by_name(raster):
    with pytest.raises(RasterError, match=r"expects 'image': 3 bands \(red, green, blue\).*'a': 2 bands"):
        match_modalities([raster("a", "x", "y")], [IMAGE])
    with pytest.raises(RasterError, match=r"trained on 2 rasters \('image', 'height'\); 1 were chosen"):
        match_modalities([raster("a", "red", "green", "blue")], [IMAGE, HEIGHT])
    many = [str(number) for number in range(40)]
    with pytest.raises(RasterError, match=r"40 bands \(0, 1 \.\.\. 39\)"):
        match_modalities([raster("a", "x")], [modality("wide", *many)])


def test_numbers_that_fit_several_orders_decide_nothing(raster):
    pair = [modality("one", "p", "q"), modality("two", "r", "s"), modality("three", "t")]
    sources = [raster("c", ""), raster("a", "x", "y"), raster("b", "v", "w")]
    with pytest.raises(RasterError, match="do not fit"):
        match_modalities(sources, pair)
