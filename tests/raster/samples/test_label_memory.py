"""Labels take little memory and time whatever is drawn, and hear Cancel; measured in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PRELUDE = """
import resource, sys, time
from pathlib import Path
import numpy as np
from bdgf.bdgf_qgis.feedback import Feedback
from bdgf.bdgf_qgis.raster.samples.assessment import confusion_of
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.bdgf_qgis.raster.samples.polygon_mask import PolygonMask
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples.tiles import copy_tiles
from bdgf.tests.raster.helpers import UTM, box, make_raster, ring_wkb, wkt

folder = Path(sys.argv[1])

def drawn(fid, value, points):
    return Polygon(fid, ring_wkb([(400_000 + 10 * x, 5_800_000 - 10 * y) for x, y in points]), value)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

def scene(side):
    array = np.ones((side, side), np.uint8)
    return make_raster(folder / "scene.tif", array, options=["TILED=YES"])

few = [box(900 + n, 1 + n % 2, 5 + 20 * n, 160, 4, 4) for n in range(8)]
random = np.random.default_rng(1)
"""
RUN = """
before, last, gaps = peak(), [time.monotonic()], []
resource.setrlimit(resource.RLIMIT_AS, (4 * 1024**3,) * 2)  # far below what would harm others

class Asked(Feedback):
    def is_cancelled(self):
        gaps.append(time.monotonic() - last[0])
        last[0] += gaps[-1]
        return False

feedback = Asked()

with open_stack([source]) as stack:
    labels = rasterise_labels(stack, polygons, wkt(UTM), "class_id", 0.2, 0, feedback)
    copy_tiles(stack, labels, folder, feedback=feedback)
    mask = PolygonMask(polygons, wkt(UTM), stack.grid, feedback)
    for window in stack.grid.window.cells(1024):
        mask.read(window)
confusion_of(source, polygons, wkt(UTM), "class_id")
print(len(labels.points), sum(labels.drawn), peak() - before, max(gaps))
"""
DRAWINGS = {
    "a sliver as long as a continent": """
source = scene(200)
polygons = [drawn(1, 1, [(100.1, -2e6), (100.2, -2e6), (100.2, 2e6), (100.1, 2e6)]), *few]
""",
    "a huge C around the scene": """
source, far = scene(200), 5e6
inner = [(far, 1 - far), (1 - far, 1 - far), (1 - far, far - 1), (far, far - 1)]
polygons = [drawn(1, 1, [(-far, -far), (far, -far), *inner, (far, far), (-far, far)]), *few]
""",
    "thousands of polygons over each other": """
source = scene(1000)
places, sizes = random.uniform(200, 800, (8000, 2)), random.uniform(50, 200, (8000, 2))
polygons = [*few, *(box(1000 + n, 1 + n % 2, *place, *size) for n, (place, size) in enumerate(zip(places, sizes)))]
""",
    "polygons wall to wall": """
source = scene(2400)
places = [(row, column) for row in range(0, 2400, 100) for column in range(0, 2400, 100)]
polygons = [box(n, 1 + n % 7, column, row, 100, 100) for n, (row, column) in enumerate(places)]
""",
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_memory_and_cancel(tmp_path: Path, name: str) -> None:
    code = PRELUDE + DRAWINGS[name] + RUN
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    points, pixels, grown, gap = result.stdout.split()
    assert int(points) <= min(int(pixels), 1_500_000)
    assert int(grown) < 350, "MiB"
    assert float(gap) < 2, "seconds between two looks at Cancel"
