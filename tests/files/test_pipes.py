"""A pipe in the place of a file is never waited for: opening one for reading may take for ever."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.files.kept_blocks import KeptBlocks
from bdgf.bdgf_qgis.files.locks import take_lock
from bdgf.bdgf_qgis.files.renames import finish_cut
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.reading.raster import describe

PATIENCE = 5.0  # seconds after which whoever waits is let go


def lock(path: Path) -> None:
    with pytest.raises(OSError, match="a pipe"):
        take_lock(path)


def swept(path: Path) -> None:
    assert finish_cut(path.parent) == []


def raster(path: Path) -> None:
    with pytest.raises(RasterError, match="'scene' is a pipe or a device"):
        describe(str(path), "scene")


@pytest.mark.parametrize(
    ("name", "use"),
    [
        (".bdgf-0123abcd.lock", lock),
        (".bdgf-0123abcd.lock", swept),
        (".bdgf-0123abcd.moves", swept),
        (".bdgf-0123abcd.undo", swept),
        ("scene.tif", raster),
    ],
)
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str, use: Callable[[Path], None]) -> None:
    quick(tmp_path / name, lambda: use(tmp_path / name))


@pytest.mark.parametrize("name", ["lock", "manifest.json", "block-0.json", "block-0-classes.tif"])
def test_a_pipe_in_a_part_folder_is_not_waited_for(tmp_path: Path, name: str) -> None:
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        made = folder.path / "block-0-classes.tif"
        made.write_text("classes")
        folder.keep(0, (1,), [made])
    (folder.path / name).unlink()

    def use() -> None:
        try:
            with KeptBlocks(tmp_path / "map.tif", "call") as again:
                assert name != "lock" and again.blocks == {}
        except OSError as error:
            assert name == "lock" and "a pipe" in str(error)

    quick(folder.path / name, use)


def quick(pipe: Path, use: Callable[[], None]) -> None:
    """Whatever `use` does with a pipe, it does not wait for it."""
    os.mkfifo(pipe)

    def let_go() -> None:
        if pipe.exists():
            os.close(os.open(pipe, os.O_RDWR))

    timer = threading.Timer(PATIENCE, let_go)
    timer.start()
    began = time.monotonic()
    try:
        use()
    finally:
        timer.cancel()
    assert time.monotonic() - began < PATIENCE
