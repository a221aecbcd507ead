"""GeoTIFFs that come into being beside their place under another name and are renamed, with sidecars, when whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

import numpy as np
from osgeo import gdal, gdal_array

from ...model.messages import ClassInfo
from .class_table import write_class_table
from .errors import RasterError
from .gdal_calls import gdal_errors
from .grid import Grid, Window

_SUFFIXES = (".tif", ".tiff")
_DERIVED = (".aux.xml", ".ovr", ".msk")  # what GDAL keeps beside a raster; that of an older result is wrong
_TILE = 256


class OutputRaster:
    """A raster in the making. Leaves nothing unless commit() or commit_together() was reached.

    Args:
        path: where it will stand; its name ends in .tif.
        grid: the common grid.
        window: the part of the grid that it holds.
        bands: number of bands.
        dtype: numpy's name of the type.
        nodata: value of what is not written, and of pixels without a result.
        descriptions: names of the bands.
        classes: of a class raster, for its attribute table.
        scale: factor from stored to real values.

    Raises RasterError where the folder cannot be written to, the file in place is locked, or the disk is full.
    """

    def __init__(
        self,
        path: str,
        grid: Grid,
        window: Window,
        bands: int,
        dtype: str,
        nodata: float,
        descriptions: Sequence[str] = (),
        classes: Sequence[ClassInfo] = (),
        scale: Optional[float] = None,
    ) -> None:
        self.path = Path(path)
        self._window = window
        self._classes = tuple(classes)
        self._sidecars: dict[Path, Path] = {}
        self._made: list[Path] = []
        self._dataset: Any = None
        if self.path.suffix.lower() not in _SUFFIXES:
            raise RasterError(f"{self.path} cannot be written: choose a file name that ends in .tif.")
        self._draft = self._begin()
        try:
            self._create(grid, bands, dtype, nodata, descriptions, scale)
        except BaseException:
            self.discard()
            raise

    def __enter__(self) -> OutputRaster:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def write(self, window: Window, array: np.ndarray) -> None:
        """Write values (h, w) or (C, h, w) of a window of the grid that lies inside the output.

        Raises RasterError where the disk is full.
        """
        planes = array[None] if array.ndim == 2 else array
        column, row = window.column - self._window.column, window.row - self._window.row
        with gdal_errors(self._what, strict=True) as calls:
            for number, plane in enumerate(planes, 1):
                band = self._dataset.GetRasterBand(number)
                calls.require(band.WriteArray(np.ascontiguousarray(plane), column, row) == 0)

    def sidecar(self, suffix: str) -> Path:
        """A path to write a file to that belongs beside the raster under the raster's name with another suffix."""
        draft = self._draft.with_suffix(suffix)
        self._sidecars[draft] = self.path.with_suffix(suffix)
        return draft

    def write_sidecar(self, suffix: str, text: str) -> None:
        """Write a text that belongs beside the raster, as its style (`.qml`)."""
        draft = self.sidecar(suffix)
        try:
            draft.write_text(text, encoding="utf-8")
        except OSError as error:
            raise _not_written(draft, error) from error

    def close(self) -> None:
        """Finish the file under its temporary name; nothing more can be written.

        Raises RasterError where the disk is full.
        """
        if self._dataset is None:
            return
        with gdal_errors(self._what, strict=True):
            if self._classes:
                write_class_table(self._dataset, self._classes)
            self._dataset.FlushCache()
            self._dataset = None
        try:
            with open(self._draft, "r+b") as file:
                os.fsync(file.fileno())  # a disk may say only now that it is full
        except OSError as error:
            raise _not_written(self.path, error) from error

    def commit(self) -> None:
        """Put the raster and its sidecars in place.

        Raises RasterError where that is not possible; what stood there stands there still then.
        """
        commit_together([self])

    def discard(self) -> None:
        """Remove everything that is not in place yet."""
        if self._dataset is not None:
            with suppress(RasterError), gdal_errors(self._what):
                self._dataset = None
        for each in (self._draft, *_derived(self._draft), *self._sidecars):
            with suppress(OSError):
                each.unlink()
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()

    @property
    def _what(self) -> str:
        return f"{self.path} cannot be written: the disk may be full, or the folder closed to you"

    def _begin(self) -> Path:
        """Claim a name beside the place, which shows whether the folder can be written to."""
        folder = self.path.parent
        draft = folder / f".{self.path.stem}-{secrets.token_hex(4)}{self.path.suffix}"
        try:
            for each in reversed([folder, *folder.parents]):
                if not each.exists():
                    each.mkdir()
                    self._made.append(each)
            if self.path.is_dir():
                raise IsADirectoryError(21, "a folder of that name stands there")
            if self.path.exists():
                with open(self.path, "r+b"):
                    pass  # a file that another program has locked shows it here
            with open(draft, "xb"):
                pass
        except OSError as error:
            for each in reversed(self._made):
                with suppress(OSError):
                    each.rmdir()
            raise _not_written(self.path, error) from error
        return draft

    def _create(
        self, grid: Grid, bands: int, dtype: str, nodata: float, descriptions: Sequence[str], scale: Optional[float]
    ) -> None:
        kind = gdal_array.NumericTypeCodeToGDALTypeCode(np.dtype(dtype))
        options = ["TILED=YES", f"BLOCKXSIZE={_TILE}", f"BLOCKYSIZE={_TILE}", "COMPRESS=DEFLATE", "BIGTIFF=IF_SAFER"]
        options += ["INTERLEAVE=BAND", f"PREDICTOR={3 if np.dtype(dtype).kind == 'f' else 2}"]
        size = self._window.width, self._window.height
        with gdal_errors(self._what, strict=True) as calls:
            self._dataset = gdal.GetDriverByName("GTiff").Create(str(self._draft), *size, bands, kind, options)
            calls.require(self._dataset)
            self._dataset.SetGeoTransform(grid.transform_of(self._window))
            if grid.wkt:
                self._dataset.SetProjection(grid.wkt)
            for number in range(1, bands + 1):
                band = self._dataset.GetRasterBand(number)
                band.SetNoDataValue(nodata)
                if number <= len(descriptions):
                    band.SetDescription(descriptions[number - 1])
                if scale is not None:
                    band.SetScale(scale)

    def moves(self) -> tuple[list[tuple[Optional[Path], Path]], tuple[Path, Path]]:
        """What becomes what: sidecars (None where an older one only goes), and the raster."""
        sidecars: list[tuple[Optional[Path], Path]] = [(d, t) for d, t in self._sidecars.items() if d.exists()]
        for draft, target in zip(_derived(self._draft), _derived(self.path)):
            sidecars.append((draft if draft.exists() else None, target))
        return sidecars, (self._draft, self.path)


def commit_together(outputs: Sequence[OutputRaster]) -> None:
    """Put several outputs in place: all sidecars, then the rasters, the first output's last.

    Raises RasterError where one cannot be put in place; everything is as before then, and the drafts are gone.
    """
    done: list[tuple[Path, Optional[Path]]] = []
    try:
        for output in outputs:
            output.close()
        parts = [output.moves() for output in outputs]
        moves = [move for sidecars, _ in parts for move in sidecars] + [raster for _, raster in reversed(parts)]
        for draft, target in moves:
            _replace(draft, target, done)
    except BaseException as error:
        _undo(done)
        for output in outputs:
            output.discard()
        if isinstance(error, OSError):
            raise _not_written(target, error) from error
        raise
    for _, backup in done:
        if backup is not None:
            with suppress(OSError):
                backup.unlink()


def _replace(draft: Optional[Path], target: Path, done: list[tuple[Path, Optional[Path]]]) -> None:
    if target.exists():
        backup = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
        os.replace(target, backup)
        done.append((target, backup))
    elif draft is not None:
        done.append((target, None))
    if draft is not None:
        os.replace(draft, target)


def _undo(done: Sequence[tuple[Path, Optional[Path]]]) -> None:
    for target, backup in reversed(done):
        with suppress(OSError):
            if backup is None:
                target.unlink()
            else:
                os.replace(backup, target)


def _derived(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name + end) for end in _DERIVED)


def _not_written(path: Path, error: OSError) -> RasterError:
    reason = error.strerror or str(error)
    return RasterError(
        f"{path} cannot be written ({reason}): choose a folder that you may write to, free some space, or close the "
        "program that has the file open."
    )
