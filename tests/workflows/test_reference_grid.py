"""Which raster's grid rules where nobody chose one, and additional no-data values as they are typed in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.reading.pixel_size import pixel_ratio
from bdgf.bdgf_qgis.raster.reading.raster import Raster
from bdgf.bdgf_qgis.workflows.matching import finest, nearest
from bdgf.bdgf_qgis.workflows.raster_inputs import nodata_note, nodata_values
from bdgf.model.shared.header import FORMAT, Header
from bdgf.model.shared.infos import ModalityInfo, SceneInfo
from bdgf.model.shared.settings import PRESETS
from bdgf.tests.raster.helpers import make_raster, wkt


@pytest.fixture
def rasters(tmp_path: Path) -> dict[str, Raster]:
    """Of pixels of 3, 2 and 2 m, one in degrees of about 1.5 m, and one of 2 m without a system."""
    plane = np.ones((20, 20), np.uint8)
    made = {}
    for name, size in (("coarse", 3.0), ("fine", 2.0), ("twin", 2.0)):
        made[name] = make_raster(tmp_path / f"{name}.tif", plane, (4e5, size, 0, 5.8e6, 0, -size))
    made["degrees"] = make_raster(tmp_path / "degrees.tif", plane, (13.5, 2.2e-5, 0, 52.3, 0, -1.35e-5), 4326)
    made["bare"] = make_raster(tmp_path / "bare.tif", plane, (0, 2.0, 0, 0, 0, -2.0), None)
    return made


def header(grid: str, scene: SceneInfo, *names: str) -> Header:
    modalities = tuple(ModalityInfo(each, ("Band 1",), "uint8") for each in names)
    return Header(FORMAT, "classifier", "0", modalities, scene, (), PRESETS["quick"], 0, "", (), ())


def trained(metres: float, grid: str = "", crs: str = wkt(32633)) -> SceneInfo:
    return SceneInfo(crs, (metres, metres), (9, 9), grid, (metres, metres) if crs else (0.0, 0.0))


def test_the_finest_rules_whatever_its_units_and_the_first_of_equal_ones(rasters: dict[str, Raster]):
    def chosen(*names: str) -> str:
        return finest([rasters[each] for each in names]).name

    assert chosen("coarse", "twin", "fine") == "twin"
    assert chosen("coarse", "fine", "degrees", "twin") == "degrees"
    assert chosen("bare", "bare") == "bare"


def test_a_model_takes_what_is_nearest_to_its_training(rasters: dict[str, Raster]):
    def chosen(scene: SceneInfo, *names: str) -> str:
        return nearest([rasters[each] for each in names], header("", scene, *names)).name

    assert chosen(trained(3.2), "fine", "coarse", "degrees") == "coarse"
    assert chosen(trained(1.4), "fine", "coarse", "degrees") == "degrees"
    assert chosen(trained(2), "coarse", "fine", "twin") == "fine"
    assert chosen(trained(2, "twin"), "coarse", "fine", "twin") == "twin", "of equal ones the model's own"
    assert chosen(trained(2, "coarse"), "coarse", "fine", "twin") == "fine"
    assert chosen(trained(3, crs=""), "coarse", "fine") == "fine", "not to be compared: the finest"


def test_ratios_are_taken_on_the_ground(rasters: dict[str, Raster]):
    degrees = SceneInfo(wkt(4326), (2.2e-5, 1.35e-5), (9, 9), "", (1.5, 1.5))
    assert pixel_ratio(degrees, trained(3)) == pytest.approx(2)
    assert pixel_ratio(trained(2, crs=""), trained(3, crs="")) == pytest.approx(1.5)
    assert pixel_ratio(trained(2, crs=""), trained(3)) == 1


NAMES = ("dsm", "My image: NIR")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", [(), ()]),
        (" ; ", [(), ()]),
        ("-9999", [(-9999,), (-9999,)]),
        ("-3.4e38, 1e10; 0", [(-3.4e38, 0, 1e10)] * 2),
        ("DSM: -9999 0; my image: nir: 65535", [(-9999, 0), (65535,)]),
        ("height: 5; 7", [(5, 7), (7,)]),
    ],
)
def test_no_data_values_for_all_rasters_or_one(text: str, wanted: list[tuple[float, ...]]):
    assert [tuple(sorted(each)) for each in nodata_values(NAMES, text, ("height", "image"))] == wanted


@pytest.mark.parametrize("text", ["none", "-9999 x", "dsm:", "dsm", "nan", "inf", "1e999", "5; roof: 3"])
def test_what_is_no_number_or_names_no_raster_is_refused(text: str):
    with pytest.raises(RasterError, match="Additional no-data values"):
        nodata_values(NAMES, text)


def test_the_log_names_them(rasters: dict[str, Raster]):
    given = [rasters["fine"].with_nodata(nodata_values(["fine"], "fine: 0 -9999")[0]), rasters["coarse"]]
    assert nodata_note(given) == "Additional no-data values of 'fine': -9999 0."
    assert nodata_note([rasters["fine"]]) == ""
