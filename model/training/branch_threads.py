"""The branches of a training step at once, each on a core of its own.

Cores that share one small convolution wait for each other more than they compute. The branches share no weight, so
they go forward and backward apart; only the loss sees all. What is computed is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from ..network.classifier import BranchOutput, Classifier, Guides
from ..network.layers import drawing

Result = TypeVar("Result")

_SEEDS = 2**62


class BranchThreads:
    """Threads for the branches of a classifier on the CPU.

    Args:
        classifier: on the CPU, in training.
        threads: cores to compute with.
    """

    def __init__(self, classifier: Classifier, threads: int) -> None:
        self._classifier = classifier
        at_once = min(threads, len(classifier.branches))
        cores = max(1, threads // at_once)
        self._pool = ThreadPoolExecutor(at_once, "bdgf-branch", torch.set_num_threads, (cores,))
        self._computed: dict[str, BranchOutput] = {}
        self._given: dict[str, BranchOutput] = {}

    def forward(
        self, inputs: Tensor, valid: Tensor, guides: Guides, random: torch.Generator
    ) -> dict[str, BranchOutput]:
        """As Classifier.forward; a loss of what it gives goes backward as far as there, then backward() on from it.

        Dropout is drawn from `random`, and does not hang on which branch is first.
        """
        image = self._classifier.image(inputs, valid)
        seeds = torch.randint(_SEEDS, (len(self._classifier.branches),), generator=random).tolist()

        kind, mixed = torch.get_autocast_dtype("cpu"), torch.is_autocast_enabled("cpu")

        def compute(name: str, seed: int) -> BranchOutput:
            with drawing(seed), torch.autocast("cpu", kind, enabled=mixed):  # precision is a matter of the thread
                return self._classifier.branch(name, image, guides)

        seed_of = dict(zip(self._classifier.branches, seeds, strict=True))
        found = self._at_once({name: partial(compute, name, seed_of[name]) for name in self._by_cost()})
        self._computed = {name: found[name] for name in self._classifier.branches}
        self._given = {
            name: BranchOutput(each.features.detach().requires_grad_(), each.logits.detach().requires_grad_())
            for name, each in self._computed.items()
        }
        return self._given

    def backward(self) -> None:
        """Takes the gradients of the outputs on to the weights."""

        def compute(name: str) -> None:
            computed, given = self._computed[name], self._given[name]
            pairs = [(computed.features, given.features.grad), (computed.logits, given.logits.grad)]
            reached = [(tensor, gradient) for tensor, gradient in pairs if gradient is not None]
            torch.autograd.backward([tensor for tensor, _ in reached], [gradient for _, gradient in reached])

        self._at_once({name: partial(compute, name) for name in self._by_cost()})
        self._computed, self._given = {}, {}

    def _by_cost(self) -> list[str]:
        """The Mamba branch takes as long as both others."""
        return sorted(self._classifier.branches, key=lambda name: name != "mamba")

    def _at_once(self, jobs: dict[str, Callable[[], Result]]) -> dict[str, Result]:
        futures = {name: self._pool.submit(job) for name, job in jobs.items()}
        return {name: each.result() for name, each in futures.items()}
