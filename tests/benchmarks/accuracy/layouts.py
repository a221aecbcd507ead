"""What the arrays of a published benchmark are, told by the names of variables and files.

The layouts in use, by folder as they are passed around:
  Houston 2013  HSI, LiDAR, TRLabel, TSLabel (and gt) | Houston2013_HSI, _DSM (DSM), _TR (TR_map), _TE (TE_map)
                HSI_data, LiDAR_data, All_Label | data_HS_LR, data_MS_HR, TrainImage, TestImage
                houston_hsi, houston_lidar, houston_gt, houston_index (houston_train, houston_test)
  Augsburg      data_HS_LR, data_SAR_HR, data_DSM, TrainImage, TestImage | augsburg_hsi, _sar, _gt, _index
  Berlin        data_HS_LR, data_SAR_HR, TrainImage, TestImage | berlin_hsi, _sar, _gt, _index
  MUUFL         muufl_gulfport_campus_1_hsi_220_label: struct hsi with Data, Lidar{1}.z, sceneLabels.labels
                HSI, LiDAR, gt | hsi_data, lidar_data, labels
  Trento        HSI, LiDAR, TRLabel, TSLabel | Italy_hsi (data), Italy_lidar (data), allgrd (mask_test)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bdgf.tests.benchmarks.accuracy.mat_file import MatFileError, Value, read_mat

TRAIN, TEST, ALL = "train", "test", "all"
_RASTERS = (  # looked for in this order; the role is the raster's name
    ("lidar", re.compile(r"lidar")),
    ("sar", re.compile(r"sar")),
    ("dsm", re.compile(r"dsm")),
    ("ms", re.compile(r"ms_?hr|msi")),
    ("hsi", re.compile(r"hsi|hs_?lr|_hs$|^hs_|^houston(2013)?$")),
)
ORDER = ("hsi", "ms", "lidar", "dsm", "sar")  # the first gives the grid
_LABELS = (
    (TRAIN, re.compile(r"train(?!and)|^tr(label|_map|$)|_tr$")),
    (TEST, re.compile(r"test|^t[se](label|_map|$)|_t[se]$")),
    (ALL, re.compile(r"(^|[^a-z])gt($|[^a-z])|all_?gr(oun)?d|all_?label|ground|gnd|^labels?$|_label$")),
)


@dataclass(frozen=True, eq=False)
class Published:
    """A benchmark as arrays.

    rasters      by name, (C, H, W)
    train, test  classes from 1, 0 where unlabelled, (H, W); both None where only `everything` is there
    everything   all labels, where the set has no train and test pixels of its own
    """

    rasters: dict[str, np.ndarray]
    train: np.ndarray | None
    test: np.ndarray | None
    everything: np.ndarray | None


def read_published(folder: Path) -> Published:
    """The arrays of a folder of .mat files, found in subfolders too.

    Raises MatFileError where labels or rasters are missing, doubtful, or differ in size.
    """
    paths = sorted(folder.rglob("*.mat"))
    if not paths:
        raise MatFileError(f"{folder} holds no .mat file.")
    arrays = {key: array for path in paths for key, array in _arrays(path)}
    labels = _labels(arrays)
    shape = _shape(labels)
    labels |= _indexed(arrays, labels.get(ALL), shape)
    rasters: dict[str, np.ndarray] = {}
    for (stem, name), array in arrays.items():
        role = None if array.ndim < 2 else _role(_RASTERS, name, stem)
        if role is None or _role(_LABELS, name) or (array.ndim == 2 and array.shape != shape):
            continue
        if role in rasters:
            raise MatFileError(f"{folder} holds two rasters of kind {role}: leave one file in the folder.")
        rasters[role] = _bands_first(array, shape, f"{stem}.mat, {name}")
    if not rasters:
        raise MatFileError(f"{folder} holds no raster that is known by name (HSI, LiDAR, DSM, data_HS_LR ...).")
    rasters = {name: rasters[name] for name in ORDER if name in rasters}
    train, test, everything = (labels.get(each) for each in (TRAIN, TEST, ALL))
    if train is not None and test is None and everything is not None:
        test = np.where(train > 0, 0, everything)
    if train is not None and test is not None:
        return Published(rasters, train, test, None)
    if everything is None:
        raise MatFileError(f"{folder} holds labels to train or to test on, but not both, and no full ground truth.")
    return Published(rasters, None, None, everything)


def _arrays(path: Path) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
    """Numeric arrays of a file with the file's stem and the variable's name."""
    for name, value in read_mat(path).items():
        if isinstance(value, dict) and {"Data", "sceneLabels"} <= set(value):
            yield from (((path.stem, role), array) for role, array in _muufl(value))
        elif isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "uifb":
            yield (path.stem, name), value


def _muufl(scene: dict[str, Value]) -> Iterator[tuple[str, np.ndarray]]:
    """The struct of the MUUFL Gulfport set; of the two LiDAR flights the first, as is usual."""
    yield "hsi", scene["Data"]
    flights = scene.get("Lidar")
    first = flights[0] if isinstance(flights, list) else flights
    if isinstance(first, dict) and "z" in first:
        yield "lidar", first["z"]
    yield "gt", scene["sceneLabels"]["labels"]


def _role(table: tuple[tuple[str, re.Pattern[str]], ...], *names: str) -> str | None:
    """The first role whose pattern fits, by the first name that fits any."""
    for name in names:
        for role, pattern in table:
            if pattern.search(name.lower()):
                return role
    return None


def _labels(arrays: dict[tuple[str, str], np.ndarray]) -> dict[str, np.ndarray]:
    """Label images by role. The file's name goes first: all labels of allgrd.mat are called mask_test."""
    found: dict[str, np.ndarray] = {}
    for (stem, name), array in arrays.items():
        own = _role(_RASTERS, name)
        role = _role(_LABELS, name) if own == "hsi" or "label" in name.lower() else _role(_LABELS, stem, name)
        if role is None or own in ("hsi", "lidar") or array.ndim != 2 or min(array.shape) <= 2:
            continue
        image = np.nan_to_num(array)
        if (image != np.round(image)).any() or image.max() > 255:
            continue  # no labels
        if role in found:
            raise MatFileError(f"Two arrays hold the labels '{role}' ({stem}.mat is one): leave one in the folder.")
        found[role] = np.maximum(image, 0).astype(np.uint8)
    return found


def _shape(labels: dict[str, np.ndarray]) -> tuple[int, int]:
    shapes = {each.shape for each in labels.values()}
    if len(shapes) != 1:
        what = "no label image that is known by name (TRLabel, TestImage, gt ...)" if not shapes else f"sizes {shapes}"
        raise MatFileError(f"The labels cannot be used: {what}.")
    rows, columns = shapes.pop()
    return rows, columns


def _indexed(
    arrays: dict[tuple[str, str], np.ndarray], everything: np.ndarray | None, shape: tuple[int, int]
) -> dict[str, np.ndarray]:
    """Train and test labels where they come as pixel numbers beside the full ground truth.

    Pairs of row and column, or MATLAB's column-wise numbers, counted from 1 (from 0 where a 0 occurs).
    """
    found: dict[str, np.ndarray] = {}
    for (stem, name), array in arrays.items():
        role = _role(_LABELS, name)
        pairs = array.ndim == 2 and array.shape[1] == 2
        if (
            "index" not in stem.lower()
            or role not in (TRAIN, TEST)
            or everything is None
            or not (pairs or array.ndim == 1)
        ):
            continue
        numbers = array.astype(np.int64) - (array.min() > 0)
        place = tuple(numbers.T) if pairs else np.unravel_index(numbers, shape, order="F")
        image = np.zeros(shape, np.uint8)
        try:
            image[place] = everything[place]
        except IndexError as error:
            raise MatFileError(f"{stem}.mat, {name} names pixels outside of the labels.") from error
        found[role] = image
    return found


def _bands_first(array: np.ndarray, shape: tuple[int, int], what: str) -> np.ndarray:
    cube = array[:, :, None] if array.ndim == 2 else array
    if cube.ndim == 3 and cube.shape[:2] == shape:
        return np.moveaxis(cube, -1, 0)
    if cube.ndim == 3 and cube.shape[1:] == shape:
        return cube
    raise MatFileError(f"{what} has the size {array.shape}, the labels {shape}.")
