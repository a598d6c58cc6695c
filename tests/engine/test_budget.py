"""The token budget: chosen by speed, halved when memory runs out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from sparknlp_zs.engine.budget import TokenBudget
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import ZeroShotScores

TASK = ZeroShotScores(["travel", "cooking"])
TEXTS = [pa.array([f"text number {i}" for i in range(50)])]


@pytest.mark.parametrize("fastest", [512, 1024, 2048])
def test_fastest_candidate_stays(fastest):
    budget = TokenBudget([512, 1024, 2048])
    seen = []
    for turn in range(100):
        seen.append(budget.tokens)
        rate = 2.0 if budget.tokens == fastest else 1.0
        warm_up = 100.0 if turn < 3 else 1.0  # the first batch of each shape is slow
        budget.record(budget.tokens, warm_up * budget.tokens / rate)
    assert budget.settled
    assert set(seen[:12]) == {512, 1024, 2048}
    assert set(seen[12:]) == {fastest}


@pytest.mark.parametrize(("faster", "expected"), [(1.01, 512), (1.2, 1024)])
def test_more_memory_is_taken_for_speed_alone(faster, expected):
    budget = TokenBudget([512, 1024])
    while not budget.settled:
        rate = faster if budget.tokens == 1024 else 1.0
        budget.record(budget.tokens, budget.tokens / rate)
    assert budget.tokens == expected


def test_batches_that_are_not_full_say_nothing():
    budget = TokenBudget([512, 1024])
    for _ in range(100):
        budget.record(100, 1e-9)
    assert not budget.settled
    assert budget.tokens == 512


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        # Products between two sizes may be slow: a rest near them is cut.
        ({512: 2.0, 1024: 1.0, 2048: 3.0}, [2048, 2048, 512, 512, 2048]),
        ({512: 1.9, 1024: 2.0, 2048: 2.1}, [2048, 2048, 2048, 2048, 2048]),
    ],
)
def test_a_rest_is_cut_only_near_slow_sizes(rates, expected):
    budget = TokenBudget([512, 1024, 2048])
    while not budget.settled:
        budget.record(budget.tokens, budget.tokens / rates[budget.tokens])
    assert [budget.of_remaining(n) for n in (9000, 2048, 2047, 700, 5)] == expected


class LittleMemory:
    """A network that fails for more than so many tokens."""

    def __init__(self, network, tokens, error):
        self.network, self.tokens, self.error, self.failures = network, tokens, error, 0

    @property
    def padding(self):
        return self.network.padding

    def logits(self, batch):
        if sum(inputs["input_ids"].size for inputs in batch) > self.tokens:
            self.failures += 1
            raise self.error
        return self.network.logits(batch)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_out_of_memory_halves_the_batch(tiny, error):
    expected = load_scorer(tiny).score(TASK, TEXTS)
    scorer = load_scorer(tiny, token_budget=4096)
    scorer._network = little = LittleMemory(scorer._network, 200, error)
    found = scorer.score(TASK, TEXTS)
    for label in TASK.labels:
        a, b = found.field(label).to_numpy(), expected.field(label).to_numpy()
        np.testing.assert_allclose(a, b, atol=1e-6)
    failures = little.failures
    assert 0 < failures < 10
    scorer.score(TASK, TEXTS)
    assert little.failures == failures  # the smaller budget is remembered


def test_a_row_that_does_not_fit_fails(tiny):
    scorer = load_scorer(tiny)
    scorer._network = LittleMemory(scorer._network, 1, torch.OutOfMemoryError("out of memory"))
    with pytest.raises(torch.OutOfMemoryError):
        scorer.score(TASK, TEXTS)


def test_other_errors_are_not_retried(tiny):
    scorer = load_scorer(tiny)
    scorer._network = little = LittleMemory(scorer._network, 1, RuntimeError("other"))
    with pytest.raises(RuntimeError, match="other"):
        scorer.score(TASK, TEXTS)
    assert little.failures == 1
