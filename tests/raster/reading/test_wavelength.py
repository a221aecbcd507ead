"""Wavelengths of bands as sensors' files state them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.raster.reading.raster import describe


def one_band(path: Path, name: str, items: dict[str, str], domain: str = "") -> str:
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), 2, 2)
    band = dataset.GetRasterBand(1)
    band.SetDescription(name)
    band.SetMetadata(items, domain)
    del band, dataset
    return str(path)


@pytest.mark.parametrize(
    ("name", "items", "domain", "wanted"),
    [
        ("", {"CENTRAL_WAVELENGTH_UM": "0.665"}, "IMAGERY", 665),
        ("B4", {"wavelength": "664.6", "wavelength_units": "Nanometers"}, "", 664.6),
        ("B4", {"wavelength": "0.6646", "wavelength_units": "Micrometers"}, "", 664.6),
        ("B1 blue (485 nm)", {}, "", 485),
        ("SWIR 2.2 \u00b5m", {}, "", 2200),
        ("B4", {"wavelength": "red"}, "", None),
        ("B4", {"wavelength": "4"}, "", None),
        ("10 nmi around", {}, "", None),
        ("elevation", {}, "", None),
    ],
)
def test_wavelength(tmp_path: Path, name: str, items: dict[str, str], domain: str, wanted: float | None) -> None:
    (band,) = describe(one_band(tmp_path / "one.tif", name, items, domain), "one").bands
    assert band.wavelength == (wanted if wanted is None else pytest.approx(wanted))


def test_real_scenes(scenes: Callable[[str], Path]) -> None:
    optical = describe(str(scenes("nc_landsat") / "optical.tif"), "optical")
    assert [band.wavelength for band in optical.bands][:2] == [485, 560]
    dem = describe(str(scenes("amazon_landsat_srtm") / "dem.tif"), "dem")
    assert [band.wavelength for band in dem.bands] == [None]
