"""The plan of batches: pairs sorted by length, each batch within a token budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LENGTH_STEP = 8  # padded lengths are multiples, so that few distinct shapes occur


@dataclass(frozen=True)
class Batch:
    """Pairs of one forward pass: their positions, and the length they are padded to."""

    pairs: npt.NDArray[np.int64]
    length: int


def plan_batches(
    lengths: npt.NDArray[np.int64], token_budget: Callable[[], int], max_length: int
) -> Iterator[Batch]:
    """Batches over all pairs, longest first, of at most ``token_budget()`` padded tokens.

    A single pair longer than the budget is a batch by itself. Longest first, so that memory
    peaks (and fails, if it must) at the start.

    Parameters
    ----------
    lengths : int array [pairs]
        Tokens of each pair, special tokens included.
    token_budget : callable
        Gives the padded tokens of the next batch; asked before each.
    max_length : int
        No batch is padded beyond it.

    Examples
    --------
    >>> batches = list(plan_batches(np.array([5, 16, 7, 6]), lambda: 24, max_length=512))
    >>> [(batch.pairs.tolist(), batch.length) for batch in batches]
    [([1], 16), ([2, 3, 0], 8)]
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = int(lengths[order[start]])
        length = min(-(-longest // LENGTH_STEP) * LENGTH_STEP, max(max_length, longest))
        rows = max(1, token_budget() // length)
        yield Batch(order[start : start + rows], length)
        start += rows
