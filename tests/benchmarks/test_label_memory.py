"""Memory and time of a training with polygons wall to wall over 6000 x 6000 pixels: both sides, each in a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SIDE = 6000
READ = """
import json, resource, sys, time
from dataclasses import asdict
from pathlib import Path
import numpy as np
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples.tiles import copy_tiles
from bdgf.tests.raster.helpers import UTM, box, make_raster, wkt

folder, side, limit = Path(sys.argv[1]), int(sys.argv[2]), int(float(sys.argv[3]))
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
random = np.random.default_rng(0)
classes = random.integers(0, 8, (side // 60, side // 60), np.uint8)
array = (np.kron(classes, np.ones((60, 60), np.uint8)) * 20 + 40).astype(np.uint8)
array += random.integers(0, 30, array.shape, np.uint8)
source = make_raster(folder / "scene.tif", array, options=["TILED=YES"])
del array
polygons = [box(n, int(code), 60 * (n % (side // 60)), 60 * (n // (side // 60)), 60, 60)
            for n, code in enumerate(classes.ravel())]
begin = time.monotonic()
with open_stack([source]) as stack:
    # few held out, since the network looks at whole patches around each
    labels = rasterise_labels(stack, polygons, wkt(UTM), "class_id", 0.02)
    tiles = copy_tiles(stack, labels, folder)
    (folder / "tiles.json").write_text(json.dumps(asdict(tiles)))
seconds, peak = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"QGIS's side: {len(labels.points):,} pixels, {seconds:.0f} s, {peak} MiB")
"""
TRAIN = """
import json, resource, sys, time
from pathlib import Path
from bdgf.model.shared.infos import ClassInfo, ModalityInfo, SceneInfo
from bdgf.model.shared.jobs import TileFiles, TrainJob
from bdgf.model.shared.settings import PRESETS
from bdgf.model.training.jobs import train
from bdgf.tests.model.scene import SilentReporter

folder, side, limit = Path(sys.argv[1]), int(sys.argv[2]), int(float(sys.argv[3]))
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
stored = json.loads((folder / "tiles.json").read_text())
tiles = TileFiles(**{name: tuple(each) if isinstance(each, list) else each for name, each in stored.items()})
begin = time.monotonic()
trained = train(
    TrainJob(
        tiles=tiles,
        modalities=(ModalityInfo("scene", ("band 1",), "uint8"),),
        scene=SceneInfo("", (10.0, 10.0), (side, side)),
        classes=tuple(ClassInfo(n, str(n), "#808080") for n in range(8)),
        settings=PRESETS["quick"].with_steps(5, 40),
        seed=0,
        device="cpu",
        output=str(folder / "model.safetensors"),
        plugin_version="test",
        samples_hash="",
    ),
    SilentReporter(),
)
seconds, peak = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
pixels = sum(map(sum, trained.confusion))
hits = sum(row[number] for number, row in enumerate(trained.confusion))
print(f"worker: {seconds:.0f} s, {peak} MiB; {pixels:,} held-out pixels, accuracy {hits / pixels:.3f}")
"""


def run(code: str, folder: Path, side: int, limit: float = 8e9) -> tuple[str, int]:
    """What a process of its own prints, and its peak memory in MiB."""
    result = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(side), str(limit)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip(), int(result.stdout.split(" MiB")[0].split()[-1])


@pytest.mark.benchmark
def test_polygons_wall_to_wall(tmp_path: Path) -> None:
    peaks = []
    for code in (READ, TRAIN):
        text, peak = run(code, tmp_path, SIDE)
        print(text)
        peaks.append(peak)
    assert sum(peaks) < 3000, "MiB, both sides"
