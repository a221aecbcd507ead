"""Branches on cores of their own compute what they compute one after another."""

from __future__ import annotations

import pytest
import torch

from bdgf.model.network.classifier import Classifier
from bdgf.model.network.layers import ChannelDropout, drawing
from bdgf.model.shared.settings import BranchSettings
from bdgf.model.training.branch_threads import BranchThreads


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def classifier(dropout: float) -> Classifier:
    torch.manual_seed(0)
    found = Classifier([3, 1], 4, 4, 8, BranchSettings(width=32, depth=1, dropout=dropout)).train()
    with torch.no_grad():
        for value in found.parameters():
            if not value.any():  # the ends of blocks: nothing would go back through them
                value.normal_(0, 0.1)
    return found


def batch():
    random = torch.Generator().manual_seed(1)

    def normal(*shape):
        return torch.randn(*shape, generator=random)

    guides = normal(2, 8, 32, 32), normal(2, 12, 16, 16), normal(2, 16, 8, 8)
    return normal(2, 4, 32, 32), torch.ones(2, 1, 32, 32, dtype=torch.bool), guides


def loss_of(outputs):
    return sum((each.logits**2).mean() + each.features.tanh().mean() for each in outputs.values())


def gradients(network: Classifier) -> dict[str, torch.Tensor]:
    return {name: value.grad.clone() for name, value in network.named_parameters() if value.grad is not None}


def in_threads(threads: int, dropout: float):
    network = classifier(dropout)
    branch_threads = BranchThreads(network, threads)
    outputs = branch_threads.forward(*batch(), torch.Generator().manual_seed(2))
    loss = loss_of(outputs)
    loss.backward()
    branch_threads.backward()
    return loss.detach(), gradients(network)


def test_the_same_loss_and_gradients_as_one_after_another():
    network = classifier(0.0)
    loss = loss_of(network(*batch()))
    loss.backward()
    plain = gradients(network)
    found, apart = in_threads(3, 0.0)
    assert torch.equal(found, loss.detach()) and apart.keys() == plain.keys()
    assert all(torch.allclose(apart[name], plain[name], rtol=1e-5, atol=1e-7) for name in plain)


def test_dropout_does_not_hang_on_who_is_first():
    one, two, three = (in_threads(threads, 0.5) for threads in (1, 2, 3))
    for loss, found in (two, three):
        assert torch.equal(loss, one[0])
        assert all(torch.equal(found[name], one[1][name]) for name in found)
    assert not torch.equal(one[0], in_threads(1, 0.0)[0])


def test_an_error_in_a_thread_reaches_the_caller():
    network = classifier(0.0)
    inputs, valid, guides = batch()
    wrong = guides[0], guides[1], guides[2][:, :5]
    with pytest.raises(RuntimeError):
        BranchThreads(network, 2).forward(inputs, valid, wrong, torch.Generator())


def test_dropout_drops_whole_channels_and_keeps_the_mean():
    layer = ChannelDropout(0.25)
    image = torch.ones(50, 40, 3, 3)
    with drawing(5):
        first = layer(image)
    with drawing(5):
        assert torch.equal(layer(image), first)
    assert {round(each, 4) for each in first.unique().tolist()} == {0.0, round(1 / 0.75, 4)}
    assert torch.equal(first.amin(dim=(2, 3)), first.amax(dim=(2, 3)))
    assert first.mean() == pytest.approx(1, abs=0.05)
    assert torch.equal(layer.eval()(image), image)
