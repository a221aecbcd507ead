"""The opinion pool, and that members without weight cost nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bdgf.model.bdgf import load_model
from bdgf.model.network.ensemble import OpinionPool
from bdgf.model.training.jobs import train
from bdgf.tests.model.scene import SilentReporter, train_job


def test_branches_speak_as_one_and_probes_for_themselves():
    log_probabilities = torch.randn(2, 4, 3, 5, 5).log_softmax(dim=2)
    pool = OpinionPool(2, 2)
    pool.set(np.array([0.25, 0.25, 0.4, 0.1]))
    branches = log_probabilities[:, :2].mean(dim=1).exp()
    branches = branches / branches.sum(dim=1, keepdim=True)
    probes = log_probabilities[:, 2:].exp()
    wanted = 0.5 * branches + 0.4 * probes[:, 0] + 0.1 * probes[:, 1]
    assert torch.allclose(pool(log_probabilities), wanted, atol=1e-3)


def test_sharpness_changes_how_sure_the_answer_is_and_not_what_it_is():
    log_probabilities = torch.randn(2, 2, 3, 5, 5).log_softmax(dim=2)
    answers = []
    for sharpness in (0.5, 1.0, 2.0):
        pool = OpinionPool(0, 2)
        pool.set(np.array([0.5, 0.5]), sharpness)
        answers.append(pool(log_probabilities))
    assert all(torch.allclose(each.sum(dim=1), torch.ones(2, 5, 5), atol=1e-5) for each in answers)
    assert torch.equal(answers[0].argmax(dim=1), answers[2].argmax(dim=1))
    low, usual, high = (each.amax(dim=1) for each in answers)
    assert (low < usual).all() and (usual < high).all()


def test_nobody_can_rule_a_class_out():
    pool = OpinionPool(1, 1)
    answer = pool(torch.tensor([[[0.0, -1e9], [0.0, -1e9]]])[..., None])
    assert answer.min() > 5e-5


PROBES = [f"classifier.probes.{name}" for name in ("score_probe", "band_probe", "diffusion_probe")]
PARTS = ["features", *(f"classifier.branches.{name}" for name in ("cnn", "mamba", "transformer")), *PROBES]


@pytest.mark.parametrize(
    ("active", "computed"),
    [
        (["score_probe", "band_probe"], PROBES[:2]),
        (["diffusion_probe"], ["features", PROBES[2]]),
        (["cnn", "mamba", "transformer"], PARTS[:4]),
        (["transformer", "score_probe"], ["features", PARTS[3], PROBES[0]]),
    ],
    ids=["probes of bands alone", "a probe of features", "branches alone", "one of each"],
)
def test_who_has_no_weight_is_not_computed_and_not_missed(tmp_path, active, computed):
    job = train_job(tmp_path)
    train(job, SilentReporter())
    model, _ = load_model(job.output)
    members = model.classifier.members
    weights = np.array([1 / len(active) if name in active else 0.0 for name in members])
    model.classifier.pool.set(weights)
    inputs = torch.randn(2, sum(model.groups) + model.bands, 32, 32, generator=torch.Generator().manual_seed(0))
    valid, corners = torch.ones(2, 1, 32, 32, dtype=torch.bool), torch.zeros(2, 2, dtype=torch.long)
    with torch.inference_mode():
        wanted = model.classifier.pool(model.log_probabilities(inputs, valid, corners))
        asked = []
        for name in PARTS:
            model.get_submodule(name).register_forward_hook(lambda *_, name=name: asked.append(name))
        answer = model(inputs, valid, corners)
    assert sorted(asked) == sorted(computed)
    if active != ["transformer", "score_probe"]:  # branches that are silent pull the mean of all branches down
        assert torch.equal(answer, wanted)
