from __future__ import annotations

import numpy as np
import pytest
import torch

from bdgf.model.diffusion.masking import ModalityMasking, balance_index
from bdgf.model.shared.settings import DiffusionSettings


def masking(count: int, **changes: object) -> ModalityMasking:
    return ModalityMasking(count, DiffusionSettings(**changes))  # type: ignore[arg-type]


def test_rates_follow_reliance_in_bounded_steps():
    rule = masking(2)
    rates = [rule.rates.copy()]
    for _ in range(60):
        rule.observe(np.array([2.0, 0.1]))
        rule.update()
        rates.append(rule.rates.copy())
    moves = np.abs(np.diff(rates, axis=0))
    assert moves.max() <= 0.02 + 1e-12
    assert rates[-1][0] == pytest.approx(0.6)
    assert rates[-1][1] == pytest.approx(0.1 + 0.5 * 0.05)
    assert 0.1 <= np.min(rates) and np.max(rates) <= 0.6


def test_negative_reliance_counts_as_none():
    rule = masking(2)
    for _ in range(60):
        rule.observe(np.array([-1.0, 0.5]))
        rule.update()
    assert rule.rates.tolist() == pytest.approx([0.1, 0.6])


@pytest.mark.parametrize("mode", ["random", "none"])
def test_only_adaptive_masking_moves(mode):
    rule = masking(3, masking=mode)
    before = rule.rates.copy()
    rule.observe(np.array([1.0, 0.0, 0.5]))
    rule.update()
    assert np.array_equal(rule.rates, before)
    assert (before == (0.35 if mode == "random" else 0.0)).all()


def test_never_all_modalities_at_one_pixel_and_the_share_is_the_rate():
    rule = masking(3)
    rule.rates = np.array([0.6, 0.6, 0.2])
    hidden = rule.draw(200, 48, 48, torch.Generator().manual_seed(0))
    assert hidden.shape == (200, 3, 48, 48)
    assert not hidden.all(dim=1).any()
    shares = hidden.float().mean(dim=(0, 2, 3)).tolist()
    assert shares[0] == pytest.approx(0.6, abs=0.05) and shares[2] == pytest.approx(0.2, abs=0.05)


def test_whole_blocks_are_hidden():
    hidden = masking(2, block=8).draw(4, 32, 32, torch.Generator().manual_seed(0))
    blocks = hidden.view(4, 2, 4, 8, 4, 8).float().mean(dim=(3, 5))
    assert set(blocks.unique().tolist()) == {0.0, 1.0}


def test_a_single_modality_hides_spatial_blocks():
    hidden = masking(1).draw(50, 32, 32, torch.Generator().manual_seed(0))
    assert 0.25 < hidden.float().mean() < 0.45


def test_no_masking_hides_nothing():
    assert not masking(2, masking="none").draw(4, 32, 32, torch.Generator().manual_seed(0)).any()


def test_balance_index():
    assert balance_index(np.array([0.2, 0.8])) == pytest.approx(0.25)
    assert balance_index(np.array([0.7])) == 1.0
    assert balance_index(np.zeros(2)) == 1.0
