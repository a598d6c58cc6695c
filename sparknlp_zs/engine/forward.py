"""Forward passes over many inputs: batches by length, halved where memory does not suffice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sparknlp_zs.engine.batching import Batch, plan_batches
from sparknlp_zs.engine.budget import TokenBudget, is_out_of_memory
from sparknlp_zs.engine.pairs import PairTokens

if TYPE_CHECKING:
    from sparknlp_zs.engine.scorer import Network

Outputs = npt.NDArray[np.float32]


def outputs(
    network: Network, budget: TokenBudget, tokens: PairTokens, limit: int, width: int
) -> Outputs:
    """The first ``width`` outputs of a network for each of the inputs, [inputs, width].

    ``limit`` is the length beyond which nothing is padded.
    """
    found = np.zeros((len(tokens), width), dtype=np.float32)
    for batch in plan_batches(tokens.lengths, budget.of_remaining, limit, network.padding):
        found[batch.pairs] = _forward(network, budget, tokens, batch)[:, :width]
    return found


def _forward(network: Network, budget: TokenBudget, tokens: PairTokens, batch: Batch) -> Outputs:
    """Outputs of one batch, in two halves if memory does not suffice for it."""
    alone = len(batch.pairs) == 1
    if alone or budget.fits(batch.tokens):
        start = time.perf_counter()
        try:
            inputs = [tokens.inputs(group.pairs, group.length) for group in batch.groups]
            found = network.logits(inputs)
        except (RuntimeError, MemoryError) as error:
            if alone or not is_out_of_memory(error):
                raise
            budget.shrink(batch.tokens)
        else:
            budget.record(batch.tokens, time.perf_counter() - start)
            return found
    # Outside the handler, whose traceback would keep the failed batch's tensors alive.
    halves = [_forward(network, budget, tokens, half) for half in batch.halves()]
    return np.concatenate(halves)
