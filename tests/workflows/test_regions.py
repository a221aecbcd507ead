"""Regions of real rasters by the real worker: what is read, at which resolution, and what may go wrong."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import ogr
from qgis.core import QgsRasterLayer

from bdgf.bdgf_qgis.engine.errors import EnvironmentMissing, WorkerDied, WorkerFailed
from bdgf.bdgf_qgis.environment.python import find_python
from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.workflows import region_python
from bdgf.bdgf_qgis.workflows.raster_inputs import Rasters, rasters_of_layers
from bdgf.bdgf_qgis.workflows.region_python import region_command
from bdgf.bdgf_qgis.workflows.regions import GrowSettings, RegionSession, SegmentSettings, Sight
from bdgf.tests.raster.helpers import UTM, write_raster

WEST, NORTH = 400_000.0, 5_800_000.0
ALL = Sight(WEST, NORTH - 3000, WEST + 4000, NORTH, 10.0)


def always() -> bool:
    return True


def layers(folder: Path) -> list[QgsRasterLayer]:
    """A field of 100 x 80 pixels of 10 m, from row and column 40 on, in an image and a coarser, shifted surface."""
    random = np.random.default_rng(1)
    image = random.normal(100, 2, (3, 300, 400))
    image[:, 40:140, 40:120] += 60
    image[:, :20, :20] = 0
    surface = random.normal(50, 0.1, (151, 201))
    surface[20:71, 20:61] += 3
    write_raster(folder / "image.tif", image.astype(np.uint16), (WEST, 10, 0, NORTH, 0, -10), UTM, 0)
    write_raster(folder / "surface.tif", surface.astype(np.float32), (WEST - 7, 20, 0, NORTH + 9, 0, -20), UTM)
    return [QgsRasterLayer(str(folder / f"{name}.tif"), name) for name in ("image", "surface")]


@pytest.fixture
def scene(qgis_app: Any, tmp_path: Path) -> Rasters:
    return rasters_of_layers(layers(tmp_path))


@pytest.fixture
def session(scene: Rasters) -> Iterator[RegionSession]:
    made = RegionSession(scene, region_command)
    yield made
    made.close()


def box(outline: bytes) -> list[float]:
    left, right, low, high = ogr.CreateGeometryFromWkb(outline).GetEnvelope()
    return [left - WEST, NORTH - high, right - WEST, NORTH - low]


def test_a_field_at_the_resolution_of_grid_and_screen(session: RegionSession) -> None:
    for resolution, off in ((2.0, 0), (10.0, 0), (37.0, 37)):
        sight = Sight(*(getattr(ALL, side) for side in ("west", "south", "east", "north")), resolution)
        growth = session.grow(sight, WEST + 800, NORTH - 900, GrowSettings(), always)
        assert growth.transform[1] == pytest.approx(max(10.0, resolution), rel=0.02)
        outline = growth.outline(0.8)
        assert box(outline) == pytest.approx([400, 400, 1200, 1400], abs=off)
        assert ogr.CreateGeometryFromWkb(outline).IsValid()
        assert ogr.CreateGeometryFromWkb(growth.outline(0.0)).GetArea() > 0, "never less than the pixel itself"


def test_the_largest_size_is_of_pixels_of_the_grid(session: RegionSession) -> None:
    for resolution in (10.0, 40.0):
        sight = Sight(ALL.west, ALL.south, ALL.east, ALL.north, resolution)
        growth = session.grow(sight, WEST + 800, NORTH - 900, GrowSettings(largest=1600), always)
        area = np.isfinite(growth.tolerances).sum() * growth.transform[1] ** 2
        assert area <= 1600 * 100 * 1.01


def test_places_without_an_answer(session: RegionSession) -> None:
    with pytest.raises(RasterError, match="outside of the rasters"):
        session.grow(ALL, WEST - 500, NORTH - 100, GrowSettings(), always)
    with pytest.raises(RasterError, match="no data at this place"):
        session.grow(ALL, WEST + 100, NORTH - 100, GrowSettings(), always)
    with pytest.raises(RasterError, match="not visible here"):
        session.look(Sight(0, 0, 1000, 1000, 10), always)
    with pytest.raises(WorkerFailed, match="needs a weight"):
        session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings((0.0, 0.0)), always)
    with pytest.raises(RunCancelled):
        session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings(), lambda: False)
    assert session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings(), always).tolerances.size > 1000


@pytest.mark.parametrize("method", ["slic", "felzenszwalb"])
def test_segments_are_kept_and_know_their_place(session: RegionSession, method: str) -> None:
    settings = SegmentSettings(method, 30)
    found = session.segment(ALL, settings, always)
    assert session.segment(ALL, settings, always) is found
    assert found.place_of(WEST + 100, NORTH - 100) is None, "no data"
    assert found.place_of(WEST - 100, NORTH - 100) is None, "outside"
    place = found.place_of(WEST + 800, NORTH - 900)
    assert place == (90, 80)
    outline = ogr.CreateGeometryFromWkb(found.outline(place))
    left, top, right, low = box(found.outline(place))
    assert outline.IsValid() and 370 <= left and 370 <= top and right <= 1230 and low <= 1430


def test_superpixels_are_as_large_on_every_zoom(session: RegionSession) -> None:
    areas = []
    for zoom in (0.5, 1.0, 2.0):  # pixels of the grid along a pixel of the screen
        sight = Sight(WEST + 300, NORTH - 2700, WEST + 3700, NORTH - 300, 10 * zoom)
        found = session.segment(sight, SegmentSettings("slic", 30), always)
        areas.append(3400 * 2400 / (found.numbers.max() + 1) / (10 * zoom) ** 2)
    assert areas == pytest.approx([900] * 3, rel=0.3), "pixels of the screen"


def test_a_killed_worker_is_started_again_and_files_go(session: RegionSession) -> None:
    first = session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings(), always)
    worker = session._worker
    assert worker is not None and worker.process_id is not None
    assert worker.ready is not None and worker.ready.torch == "", "torch is not loaded"
    os.kill(worker.process_id, signal.SIGKILL)
    again = session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings(), always)
    np.testing.assert_array_equal(again.tolerances, first.tolerances)
    session.look(Sight(WEST, NORTH - 1000, WEST + 1000, NORTH, 10), always)
    folder = worker.workspace.path
    assert len(list(folder.glob("job*"))) == 1, "what is no longer visible is deleted"
    session.close()
    assert not folder.exists()


def test_a_worker_that_does_not_answer(session: RegionSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings(), always)
    worker = session._worker
    assert worker is not None and worker.process_id is not None
    os.kill(worker.process_id, signal.SIGSTOP)
    monkeypatch.setattr("bdgf.bdgf_qgis.workflows.regions._LONGEST", 0.3)
    with pytest.raises(WorkerDied, match="no region within 0 seconds and was ended"):
        session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings(), always)
    assert not worker.running
    monkeypatch.undo()
    assert session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings(), always).tolerances.size > 1000


def test_what_is_visible_may_be_far_larger_than_the_rasters(session: RegionSession) -> None:
    world = Sight(WEST - 9e6, NORTH - 9e6, WEST + 9e6, NORTH + 9e6, 10.0)
    growth = session.grow(world, WEST + 800, NORTH - 900, GrowSettings(), always)
    assert growth.transform[1] == 10 and box(growth.outline(0.8)) == pytest.approx([400, 400, 1200, 1400])


def test_nonsense_of_the_worker_ends_it(session: RegionSession, monkeypatch: pytest.MonkeyPatch) -> None:
    import bdgf.bdgf_qgis.workflows.regions as module

    real = module.run_job

    def spoilt(worker: Any, job: Any, feedback: Any) -> Any:
        answer = real(worker, job, feedback)
        np.save(job.output, np.zeros((3, 3)))
        return answer

    monkeypatch.setattr(module, "run_job", spoilt)
    with pytest.raises(WorkerDied, match="float32"):
        session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings(), always)
    monkeypatch.undo()
    assert session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings(), always).tolerances.size > 1000


def test_many_bands_are_thinned_out(qgis_app: Any, tmp_path: Path) -> None:
    image = np.random.default_rng(1).normal(100, 2, (130, 30, 40)).astype(np.float32)
    write_raster(tmp_path / "spectra.tif", image, (WEST, 10, 0, NORTH, 0, -10), UTM)
    session = RegionSession(
        rasters_of_layers([QgsRasterLayer(str(tmp_path / "spectra.tif"), "spectra")]), region_command
    )
    try:
        session.look(ALL, always)
        assert session._visible is not None
        assert len(np.load(session._visible.pixels.modalities[0])) == 24
    finally:
        session.close()


def shim(folder: Path, arguments: str) -> Path:
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nexec "{find_python().path}" {arguments} "$@"\n')
    path.chmod(0o755)
    return path


def test_before_pytorch_is_set_up(qgis_app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise EnvironmentMissing("BDGF needs PyTorch")

    monkeypatch.setattr(region_python, "chosen_python", missing)
    ours: Callable[[Any], list[str]] = lambda system: [str(shim(tmp_path, ""))]  # noqa: E731
    monkeypatch.setattr("bdgf.bdgf_qgis.environment.installation.qgis_python.candidates", ours)
    assert region_command().arguments[0] == str(tmp_path / "python")
    assert region_command().arguments[-1] == "--without-torch"
    monkeypatch.setattr(
        "bdgf.bdgf_qgis.environment.installation.qgis_python.candidates", lambda system: [str(shim(tmp_path, "-S"))]
    )
    with pytest.raises(EnvironmentMissing, match="need scikit-image: run 'Install environment'"):
        region_command()


def test_python_that_lacks_scikit_image_is_told(
    scene: Rasters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BDGF_PYTHON", str(shim(tmp_path, "-S")))
    session = RegionSession(scene, region_command)
    try:
        with pytest.raises(WorkerFailed, match="cannot load scikit-image and numpy"):
            session.grow(ALL, WEST + 800, NORTH - 900, GrowSettings(), always)
    finally:
        session.close()
