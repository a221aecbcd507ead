from __future__ import annotations

import numpy as np
import pytest
import torch

from bdgf.model.prediction.lattice import blend_weight, corners_over, lattice_corners


@pytest.mark.parametrize("place", [(0, 0, 100, 70), (37, 211, 1, 1), (48, 48, 48, 48), (95, 3, 60, 130)])
def test_every_patch_that_touches_and_no_other(place):
    top, left, height, width = place
    corners = lattice_corners(*place, 64, 48)
    touching = {
        (row * 48, column * 48)
        for row in range(-3, 12)
        for column in range(-3, 12)
        if row * 48 < top + height and row * 48 + 64 > top and column * 48 < left + width and column * 48 + 64 > left
    }
    assert {tuple(each) for each in corners.tolist()} == touching
    assert len(corners) == len(touching)
    assert corners.tolist() == sorted(corners.tolist()), "row by row, so that sums are added in one order"


@pytest.mark.parametrize(("patch_size", "stride"), [(64, 40), (64, 48), (32, 24), (64, 32)])
def test_weights_of_overlapping_patches_add_up_to_one(patch_size, stride):
    weight = blend_weight(patch_size, stride)
    total = torch.zeros(300, 300)
    for row, column in lattice_corners(100, 100, 100, 100, patch_size, stride).tolist():
        total[row : row + patch_size, column : column + patch_size] += weight[: 300 - row, : 300 - column]
    assert np.allclose(total[100:200, 100:200], 1, atol=1e-6)
    assert weight.min() > 0


@pytest.mark.parametrize(("patch_size", "stride"), [(64, 40), (32, 24), (64, 64)])
def test_patches_over_scattered_pixels_are_those_over_each_of_them(patch_size, stride):
    points = np.random.default_rng(0).integers(0, 400, (30, 2)).astype(np.int32)
    each = {tuple(corner) for point in points for corner in lattice_corners(*point, 1, 1, patch_size, stride).tolist()}
    assert corners_over(points, patch_size, stride).tolist() == [list(corner) for corner in sorted(each)]


@pytest.mark.parametrize("stride", [64, 20])
def test_a_stride_that_leaves_gaps_or_overlaps_thrice_is_refused(stride):
    with pytest.raises(ValueError, match="overlap"):
        blend_weight(64, stride)
