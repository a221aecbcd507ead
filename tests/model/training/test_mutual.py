from __future__ import annotations

import pytest
import torch

from bdgf.model.network.classifier import BranchOutput
from bdgf.model.shared.settings import MutualSettings
from bdgf.model.training.mutual import EntropyAlignment, FeatureSimilarity, MutualLearning

PRIOR = torch.tensor([1.0, 1.0])


def alignment(**changes) -> EntropyAlignment:
    return EntropyAlignment(**{"prior": PRIOR, "confidence": 0.8, **changes})


def test_branches_move_toward_the_confident_one():
    sure = torch.tensor([[4.0, -4.0]], requires_grad=True)
    unsure = torch.tensor([[-0.1, 0.1]], requires_grad=True)
    labelled = counted = torch.ones(1, dtype=torch.bool)
    alignment()([sure, unsure], labelled, counted).backward()
    assert unsure.grad[0, 0] < 0, "the unsure branch moves to the sure one's class"
    third = torch.tensor([[0.0, 0.0]], requires_grad=True)
    alignment()([sure.detach(), -0.1 * sure.detach(), third], labelled, counted).backward()
    assert third.grad[0, 0] < 0, "of two that disagree the more confident one pulls more"


def test_targets_are_detached_and_equal_branches_rest():
    one = torch.tensor([[1.0, 0.0]], requires_grad=True)
    two = one.detach().clone().requires_grad_()
    yes = torch.ones(1, dtype=torch.bool)
    loss = alignment()([one, two], yes, yes)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6) and one.grad.abs().max() < 1e-6


def test_unlabelled_pixels_need_confidence_and_excluded_ones_never_count():
    logits = [torch.tensor([[0.3, 0.0], [5.0, -5.0], [5.0, -5.0]]), torch.zeros(3, 2, requires_grad=True)]
    labelled = torch.zeros(3, dtype=torch.bool)
    counted = torch.tensor([True, True, False])
    alignment()(logits, labelled, counted).backward()
    gradient = logits[1].grad.abs().sum(dim=1)
    assert gradient[1] > 0 and gradient[0] == 0 and gradient[2] == 0


def test_targets_of_unlabelled_pixels_move_toward_the_label_prior():
    torch.manual_seed(0)
    common = torch.tensor([[2.0, 0.0]]).repeat(500, 1)  # both branches call everything class 0
    rule = alignment(confidence=0.0)
    yes, no = torch.ones(500, dtype=torch.bool), torch.zeros(500, dtype=torch.bool)
    for _ in range(200):
        other = common.clone().requires_grad_()
        rule([common, other], no, yes).backward()
    assert rule.shares[0] > 0.8
    assert other.grad[0, 0] > 0, "the share of class 0 is pushed down"


def test_feature_similarity_agrees_without_collapse():
    torch.manual_seed(0)
    pixels = torch.randn(512, 16)
    features = {"cnn": pixels @ torch.randn(16, 32), "mamba": pixels @ torch.randn(16, 32)}
    similarity = FeatureSimilarity(("cnn", "mamba"), 32)
    optimiser = torch.optim.Adam(similarity.parameters(), 3e-3)
    first = similarity(features).item()
    for _ in range(300):
        loss = similarity(features)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.5 * first
    for name, each in features.items():
        projected = torch.nn.functional.normalize(similarity.project(name, each), dim=1)
        assert projected.std(dim=0).mean() > 0.3 / 32**0.5, "the projections of different pixels differ"


def outputs(branches: int) -> dict[str, BranchOutput]:
    torch.manual_seed(0)
    names = ("cnn", "mamba", "transformer")[:branches]
    return {
        name: BranchOutput(torch.randn(2, 8, 4, 4, requires_grad=True), torch.randn(2, 2, 4, 4, requires_grad=True))
        for name in names
    }


@pytest.mark.parametrize(("entropy", "feature"), [(0.5, 0.0), (0.0, 0.5), (0.0, 0.0)])
def test_each_term_has_its_switch(entropy, feature):
    found = outputs(3)
    mutual = MutualLearning(tuple(found), 8, PRIOR, MutualSettings(entropy=entropy, feature=feature))
    labels, counted = torch.zeros(2, 4, 4).long(), torch.ones(2, 4, 4, dtype=torch.bool)
    loss = mutual(found, labels, counted, torch.Generator().manual_seed(0))
    if entropy == feature == 0:
        assert loss == 0
        return
    loss.backward()
    assert (found["cnn"].logits.grad is not None) == (entropy > 0)
    assert (found["cnn"].features.grad is not None) == (feature > 0)


def test_a_single_branch_has_nobody_to_learn_from():
    found = outputs(1)
    mutual = MutualLearning(("cnn",), 8, PRIOR, MutualSettings())
    counted = torch.ones(2, 4, 4, dtype=torch.bool)
    assert mutual(found, torch.zeros(2, 4, 4).long(), counted, torch.Generator()) == 0
