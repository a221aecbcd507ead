"""The class prior: answers move from the class shares of training to those that are expected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bdgf.model.bdgf import load_model
from bdgf.model.network.prior import ClassPrior
from bdgf.model.shared.settings import PRIORS
from bdgf.model.training.jobs import train
from bdgf.tests.model.scene import SilentReporter, tiny_settings, train_job


def test_nothing_moves_before_a_prior_is_expected():
    scores = torch.randn(2, 3, 4, 5, 5)
    assert torch.equal(ClassPrior(3, 4)(scores), scores)


def test_under_equal_shares_a_posterior_becomes_the_likelihood():
    likelihood = torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])
    learned = torch.tensor([[800.0, 150.0, 50.0], [100.0, 100.0, 100.0]])
    posteriors = torch.stack([(likelihood * each).log() for each in learned], dim=1)
    prior = ClassPrior(2, 3)
    prior.expect(torch.ones(3), learned)
    answers = prior(posteriors).softmax(dim=2)
    assert torch.allclose(answers[:, 0], likelihood, atol=1e-6)
    assert torch.allclose(answers[:, 1], likelihood, atol=1e-6)


def test_a_class_that_training_never_met_does_not_take_over():
    prior = ClassPrior(1, 2)
    prior.expect(torch.ones(2), torch.tensor([[1000.0, 0.0]]))
    answer = prior(torch.tensor([[[1.0, 1e-4]]]).log()).softmax(dim=2)
    assert answer[0, 0, 1] < 0.02


def test_the_prior_reaches_the_model_file_and_its_answers(tmp_path):
    share = {}
    for name in PRIORS:
        job = train_job(tmp_path / name, tiny_settings().with_prior(name))
        points = np.load(job.tiles.training)
        rare = points[points[:, 2] == 1][:4]
        np.save(job.tiles.training, np.concatenate([points[points[:, 2] == 0], rare]))
        train(replace(job, seed=0), SilentReporter())
        model, header = load_model(job.output)
        assert header.settings.training.prior == name
        torch.manual_seed(0)
        patches = torch.randn(2, 8, 32, 32), torch.ones(2, 1, 32, 32, dtype=torch.bool), torch.zeros(2, 2).long()
        with torch.inference_mode():
            share[name] = float(model(*patches)[:, 1].mean())
    assert share["drawn"] < share["learned"] < share["equal"], "the second class was drawn rarely"
    assert share["equal"] > share["drawn"] + 0.02


def test_an_unknown_prior_is_refused():
    with pytest.raises(ValueError, match="prior"):
        tiny_settings().with_prior("usual")
