"""Turns a folder of a published benchmark's .mat files into a scene folder for the harness.

    python -m tests.benchmarks.accuracy.published FOLDER OUT

The scene has no coordinate reference system; a pixel is one unit. Polygons are the 4-connected regions of each class in
the published train and test pixels, so that rasterising them gives back exactly these pixels. Where a set has no train
and test pixels of its own, some pixels of each class are drawn at random to train on, as papers on MUUFL and Trento do,
and all others test; such pixels lie side by side, and figures are higher than on polygons apart.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from osgeo import gdal, ogr

from bdgf.tests.benchmarks.accuracy.layouts import Published, read_published
from bdgf.tests.benchmarks.accuracy.mat_file import MatFileError
from bdgf.tests.benchmarks.accuracy.scene import CLASS_FIELD, NAME_FIELD
from bdgf.tests.raster.helpers import make_raster

PER_CLASS = 100  # random training pixels a class where a set has no split
_NAMES = {  # by rows and columns of the scene
    (349, 1905): (
        "healthy grass,stressed grass,synthetic grass,trees,soil,water,residential,commercial,road,highway,railway,"
        "parking lot 1,parking lot 2,tennis court,running track"
    ),
    (332, 485): "forest,residential area,industrial area,low plants,allotment,commercial area,water",
    (1723, 476): "forest,residential area,industrial area,low plants,soil,allotment,commercial area,water",
    (325, 220): (
        "trees,mostly grass,mixed ground surface,dirt and sand,road,water,buildings,shadow of buildings,sidewalk,"
        "yellow curb,cloth panels"
    ),
    (166, 600): "apple trees,buildings,ground,woods,vineyard,roads",
}


def convert(folder: Path, out: Path, per_class: int = PER_CLASS, seed: int = 0) -> None:
    """Write the scene of a folder of .mat files to a new folder, whole or not at all.

    Raises MatFileError where the files are of no known layout or `out` is there already.
    """
    if out.exists():
        raise MatFileError(f"{out} is there already: name a new folder.")
    found = read_published(folder)
    train, test, split = _split(found, per_class, seed)
    names = _class_names(train, test)
    draft = out.with_name(f".{out.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        transform = (0.0, 1.0, 0.0, float(len(train)), 0.0, -1.0)
        for name, raster in found.rasters.items():
            array = _storable(raster)
            nodata = float("nan") if array.dtype.kind == "f" else None
            options = ["TILED=YES", "COMPRESS=DEFLATE", "BIGTIFF=IF_SAFER"]
            make_raster(draft / f"{name}.tif", array, transform, None, nodata, options=options)
        for stem, labels in (("train_polygons", train), ("validation_polygons", test)):
            write_regions(draft / f"{stem}.gpkg", labels, transform, names)
        counts = {str(code): [int((each == code).sum()) for each in (train, test)] for code in names}
        info = {
            "dataset": out.name,
            "rasters": [f"{name}.tif" for name in found.rasters],
            "classes": {str(code): name for code, name in names.items()},
            "pixels": {"columns": ["train", "validation"], **counts},
            "split": split,
        }
        (draft / "info.json").write_text(json.dumps(info, indent=1), encoding="utf-8")
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _split(found: Published, per_class: int, seed: int) -> tuple[np.ndarray, np.ndarray, str]:
    if found.train is not None and found.test is not None:
        return found.train, found.test, "the published train and test pixels"
    assert found.everything is not None
    train = np.zeros_like(found.everything)
    for code in np.unique(found.everything[found.everything > 0]).tolist():
        places = np.flatnonzero(found.everything == code)
        count = min(per_class, len(places) // 2)
        train.flat[np.random.default_rng([seed, code]).permutation(places)[:count]] = code
    text = f"not published: {per_class} random pixels a class (at most half of them) train, seed {seed}; others test"
    return train, np.where(train > 0, 0, found.everything), text


def _class_names(train: np.ndarray, test: np.ndarray) -> dict[int, str]:
    codes = np.union1d(train[train > 0], test[test > 0]).tolist()
    rows, columns = train.shape
    known = (_NAMES.get((rows, columns)) or _NAMES.get((columns, rows), "")).split(",")
    if codes != list(range(1, len(known) + 1)):
        return {code: f"class {code}" for code in codes}
    return dict(zip(codes, known, strict=True))


def _storable(raster: np.ndarray) -> np.ndarray:
    """In a type that every GeoTIFF reader knows; fractions, and whole numbers of 64 bits, in single precision."""
    if raster.dtype.name in ("uint8", "uint16", "int16", "uint32", "int32", "float32"):
        return raster
    return raster.astype(np.uint8 if raster.dtype == bool else np.float32)


def write_regions(path: Path, labels: np.ndarray, transform: Sequence[float], names: Mapping[int, str]) -> None:
    """A GeoPackage with a polygon for each 4-connected region of a class (H, W, 0 where unlabelled)."""
    rows, columns = labels.shape
    image = gdal.GetDriverByName("MEM").Create("", columns, rows, 1, gdal.GDT_Byte)
    image.SetGeoTransform(transform)
    band = image.GetRasterBand(1)
    band.WriteArray(labels)
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = dataset.CreateLayer(path.stem, None, ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn(CLASS_FIELD, ogr.OFTInteger))
    layer.CreateField(ogr.FieldDefn(NAME_FIELD, ogr.OFTString))
    scratch = ogr.GetDriverByName("Memory").CreateDataSource("")
    regions = scratch.CreateLayer("regions", None, ogr.wkbPolygon)
    regions.CreateField(ogr.FieldDefn(CLASS_FIELD, ogr.OFTInteger))
    gdal.Polygonize(band, band, regions, 0, [])  # the band is its own mask; 4-connected unless told otherwise
    layer.StartTransaction()
    for region in regions:
        feature = ogr.Feature(layer.GetLayerDefn())
        code = region.GetField(CLASS_FIELD)
        feature[CLASS_FIELD], feature[NAME_FIELD] = code, names[code]
        feature.SetGeometry(region.GetGeometryRef())
        layer.CreateFeature(feature)
    layer.CommitTransaction()
    layer = dataset = None


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    asked = argparse.ArgumentParser("python -m tests.benchmarks.accuracy.published", description=__doc__)
    asked.add_argument("folder", type=Path, help="folder of .mat files")
    asked.add_argument("out", type=Path, help="scene folder to make")
    asked.add_argument(
        "--per-class", type=int, default=PER_CLASS, help="random training pixels where none are published"
    )
    asked.add_argument("--seed", type=int, default=0, help="of these")
    options = asked.parse_args(arguments)
    try:
        convert(options.folder, options.out, options.per_class, options.seed)
    except MatFileError as error:
        print(error, file=sys.stderr)
        return 2
    print((options.out / "info.json").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
