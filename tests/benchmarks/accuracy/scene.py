"""A scene folder: rasters, training polygons, validation polygons."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from osgeo import gdal, ogr

from bdgf.bdgf_qgis.demo.scene import write_scene
from bdgf.bdgf_qgis.raster.reading.raster import Raster, describe
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon
from bdgf.tests.benchmarks.accuracy.validation_log import ValidationLog

CLASS_FIELD = "class_id"
NAME_FIELD = "class_name"
DEMO = "demo"
DEMO_SIZE = 300  # pixels
_TRAINING = ("train_polygons.gpkg", "training.gpkg")
_VALIDATION = ("validation_polygons.gpkg", "validation.gpkg")
# Which rasters of a folder make the scene, in order, where its info.json does not say; the first gives the grid.
RASTERS = {
    "amazon_landsat_srtm": ("optical.tif", "dem_epsg4326_derived.tif"),
    "nc_landsat": ("optical.tif", "swir2.tif"),
    "trento_lidar": ("lidar_height.tif", "lidar_intensity.tif"),
    "potsdam_enmap": ("vnir.tif", "swir.tif"),
    "houston2018_crop": ("hsi_pca5.tif", "dsm_8bit.tif"),
    "slovenia_ndvi_dem": ("ndvi_timeseries.tif", "dem.tif"),
    DEMO: ("optical.tif", "dsm.tif"),
}


class SceneError(ValueError):
    """A folder that is no scene; the text says what is missing."""


@dataclass(frozen=True)
class Samples:
    """Polygons with whole-number classes and class names, and the CRS of their coordinates ('' without one)."""

    polygons: tuple[Polygon, ...]
    crs_wkt: str


@dataclass(frozen=True)
class Scene:
    """Where the files of a scene stand; the first raster gives the grid."""

    name: str
    rasters: tuple[Path, ...]
    training: Path
    validation: Path

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the rasters."""
        return tuple(each.stem for each in self.rasters)

    def sources(self, modalities: tuple[str, ...] = ()) -> tuple[Raster, ...]:
        """Rasters by name, in the scene's order; () means all. Raises SceneError where one is not there."""
        strange = set(modalities) - set(self.modalities)
        if strange:
            raise SceneError(f"{self.name} has no raster {sorted(strange)}; it has {list(self.modalities)}.")
        return tuple(
            describe(str(each), each.stem) for each in self.rasters if not modalities or each.stem in modalities
        )

    def training_samples(self) -> Samples:
        """The training polygons."""
        return read_samples(self.training)

    def validation_samples(self, log: ValidationLog, rows: list[str]) -> Samples:
        """The validation polygons; that they were looked at, and for which rows, is logged first."""
        log.record(self.name, rows)
        return read_samples(self.validation)


def find_scene(name: str, out: Path) -> Scene:
    """A scene by its folder, by its name below BDGF_SCENES, or 'demo' and 'demo-SEED', which are made below `out`.

    Raises SceneError where it is not there.
    """
    if re.fullmatch(rf"{DEMO}(-\d+)?", name):
        return _demo(name, out / "scenes" / name)
    given = Path(name)
    folder = given if given.is_dir() else Path(os.environ.get("BDGF_SCENES", "")) / name
    if not folder.is_dir():
        raise SceneError(f"There is no scene {name}: give a folder, or set BDGF_SCENES to the folder of scenes.")
    folder = folder.resolve()
    return Scene(
        folder.name,
        tuple(folder / each for each in _raster_names(folder)),
        _one_of(folder, _TRAINING),
        folder / next((each for each in _VALIDATION if (folder / each).exists()), _VALIDATION[0]),
    )


def _demo(name: str, folder: Path) -> Scene:
    rasters = tuple(folder / each for each in RASTERS[DEMO])
    scene = Scene(name, rasters, folder / _TRAINING[1], folder / _VALIDATION[1])
    if not all(each.exists() for each in (*rasters, scene.training, scene.validation)):
        folder.mkdir(parents=True, exist_ok=True)
        write_scene(str(folder), DEMO_SIZE, int(name.partition("-")[2] or 0))
    return scene


def _raster_names(folder: Path) -> tuple[str, ...]:
    info = folder / "info.json"
    stated = json.loads(info.read_text(encoding="utf-8")).get("rasters") if info.exists() else None
    names = tuple(stated or RASTERS.get(folder.name) or sorted(each.name for each in folder.glob("*.tif")))
    missing = [each for each in names if not (folder / each).exists()]
    if missing or not names:
        raise SceneError(f"{folder} holds no raster {missing or '*.tif'}.")
    return names


def _one_of(folder: Path, names: tuple[str, ...]) -> Path:
    for each in names:
        if (folder / each).exists():
            return folder / each
    raise SceneError(f"{folder} holds none of {', '.join(names)}.")


def read_samples(path: Path) -> Samples:
    """Polygons of the first layer of a file. Raises SceneError where it cannot be read or lacks the class field."""
    gdal.UseExceptions()
    try:
        dataset = gdal.OpenEx(str(path), gdal.OF_VECTOR | gdal.OF_READONLY)
        layer = dataset.GetLayer(0)
    except RuntimeError as error:
        raise SceneError(f"{path} cannot be read: {error}.") from error
    finally:
        gdal.DontUseExceptions()
    definition = layer.GetLayerDefn()
    if definition.GetFieldIndex(CLASS_FIELD) < 0:
        raise SceneError(f"{path} has no field {CLASS_FIELD}.")
    named = definition.GetFieldIndex(NAME_FIELD) >= 0
    return Samples(tuple(_polygon(each, named) for each in layer), _wkt(layer))


def _polygon(feature: ogr.Feature, named: bool) -> Polygon:
    name = feature.GetField(NAME_FIELD) if named else None
    wkb = bytes(feature.GetGeometryRef().ExportToWkb())
    return Polygon(feature.GetFID(), wkb, int(feature.GetField(CLASS_FIELD)), name)


def _wkt(layer: ogr.Layer) -> str:
    """The CRS; '' also where a GeoPackage says in so many words that it has none."""
    reference = layer.GetSpatialRef()
    wkt = "" if reference is None else reference.ExportToWkt()
    return "" if wkt.partition("[")[2].lower().startswith('"undefined') else wkt
