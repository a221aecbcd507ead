from __future__ import annotations

import torch

from bdgf.model.data.local_mean_difference import LocalMeanDifference


def test_height_above_the_surroundings_is_seen_whatever_the_terrain():
    differences = LocalMeanDifference([5, 1], (9, 31))
    rows = torch.arange(96.0)[:, None].expand(96, 96)
    terrain = 3 * rows  # a steep even slope
    house = torch.zeros(96, 96)
    house[46:50, 46:50] = 4
    inputs = torch.cat([torch.randn(1, 5, 96, 96), (terrain + house)[None, None]], dim=1)
    seen = differences(inputs, torch.ones(1, 1, 96, 96, dtype=torch.bool))
    assert seen.shape == (1, 2, 96, 96) and differences.channels == 2
    assert torch.allclose(seen[0, :, 20, 20], torch.zeros(2), atol=1e-2)
    assert (seen[0, :, 47, 47] > 3).all()


def test_invalid_pixels_count_in_no_mean():
    differences = LocalMeanDifference([1], (9, 31))
    image = torch.ones(1, 1, 40, 40)
    valid = torch.ones(1, 1, 40, 40, dtype=torch.bool)
    valid[..., 20:] = False
    seen = differences(image * valid, valid)
    assert torch.allclose(seen, torch.zeros_like(seen), atol=1e-5)


def test_spectra_have_no_local_mean_difference():
    differences = LocalMeanDifference([24, 3], (9, 31))
    assert differences.channels == 0
    assert differences(torch.randn(1, 27, 8, 8), torch.ones(1, 1, 8, 8)).shape == (1, 0, 8, 8)


def test_a_local_mean_difference_is_in_units_of_its_usual_deviation():
    torch.manual_seed(0)
    differences = LocalMeanDifference([1], (9, 31))
    inputs, valid = 0.01 * torch.randn(8, 1, 64, 64), torch.ones(8, 1, 64, 64, dtype=torch.bool)
    differences.fit(inputs, valid)
    assert torch.allclose(differences(inputs, valid).std(dim=(0, 2, 3)), torch.ones(2), atol=0.01)
