"""Values outside a model's range."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.workflows.training_comparison import shares_outside
from bdgf.tests.raster.helpers import make_raster


def test_shares_outside_a_range(tmp_path: Path) -> None:
    array = np.zeros((2, 128, 128), np.int16)
    array[0] = np.arange(128) % 4
    array[1] = 7
    array[1, :64] = -1
    source = make_raster(tmp_path / "a.tif", array, nodata=-1)
    with open_stack([source]) as stack:
        shares = shares_outside(stack, stack.grid.window, [[(1.0, 3.0), (7.0, 7.0)]])
    assert shares == ((0.25, 0.0),)
