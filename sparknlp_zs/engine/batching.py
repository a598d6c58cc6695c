"""The plan of batches: pairs sorted by length, each batch within a token budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_MOST_PADDING = 0.125  # of a pair's length, where groups are joined


@dataclass(frozen=True)
class Padding:
    """To what lengths a network wants the pairs of a batch padded.

    Parameters
    ----------
    step : int
        Lengths are padded to its multiples: 1 pads nothing, more gives fewer distinct shapes.
    mixed : bool
        Whether a batch may hold groups of several lengths; otherwise all its pairs are padded to
        the longest.
    group_tokens : int
        Groups of fewer tokens are joined with shorter pairs, which are padded by a fraction of
        their length at most: a group costs time of its own.
    """

    step: int = 8
    mixed: bool = False
    group_tokens: int = 1


@dataclass(frozen=True)
class Group:
    """Pairs that are padded to one length: their positions in the plan."""

    pairs: npt.NDArray[np.int64]
    length: int


@dataclass(frozen=True)
class Batch:
    """The groups of one forward pass, longest first."""

    groups: tuple[Group, ...]

    @property
    def pairs(self) -> npt.NDArray[np.int64]:
        """The positions of all pairs, group by group."""
        return np.concatenate([group.pairs for group in self.groups])

    @property
    def tokens(self) -> int:
        """Tokens of the batch, padding included."""
        return sum(len(group.pairs) * group.length for group in self.groups)

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches of about half the pairs; for a batch of at least two."""
        half = sum(len(group.pairs) for group in self.groups) // 2
        first, second, seen = [], [], 0
        for group in self.groups:
            cut = min(max(half - seen, 0), len(group.pairs))
            seen += len(group.pairs)
            if cut:
                first.append(Group(group.pairs[:cut], group.length))
            if cut < len(group.pairs):
                second.append(Group(group.pairs[cut:], group.length))
        return Batch(tuple(first)), Batch(tuple(second))


def plan_batches(
    lengths: npt.NDArray[np.int64],
    token_budget: Callable[[int], int],
    max_length: int,
    padding: Padding = Padding(),
) -> Iterator[Batch]:
    """Batches over all pairs, longest first, of at most ``token_budget(...)`` padded tokens.

    A single pair longer than the budget is a batch by itself. Longest first, so that memory
    peaks (and fails, if it must) at the start.

    Parameters
    ----------
    lengths : int array [pairs]
        Tokens of each pair, special tokens included.
    token_budget : callable
        Gives the padded tokens of the next batch from those that remain; asked before each.
    max_length : int
        No pair is padded beyond it.
    padding : Padding

    Examples
    --------
    >>> lengths = np.array([5, 16, 7, 6])
    >>> def shown(padding):
    ...     batches = plan_batches(lengths, lambda remaining: 24, 512, padding)
    ...     return [[(g.pairs.tolist(), g.length) for g in batch.groups] for batch in batches]
    >>> shown(Padding(step=8, mixed=False))
    [[([1], 16)], [([2, 3, 0], 8)]]
    >>> shown(Padding(step=1, mixed=True))
    [[([1], 16), ([2], 7)], [([3], 6), ([0], 5)]]
    """
    if not len(lengths):
        return
    order = np.argsort(-lengths, kind="stable")
    ordered = lengths[order]
    slots = -(-ordered // padding.step) * padding.step
    slots = np.minimum(slots, np.maximum(max_length, ordered))
    if padding.mixed:
        slots = _joined(slots, padding.group_tokens)
    ends = np.cumsum(slots)
    start = 0
    while start < len(order):
        before = ends[start] - slots[start]
        budget = token_budget(int(ends[-1] - before))
        if padding.mixed:
            end = int(np.searchsorted(ends, before + budget, side="right"))
        else:
            end = start + budget // int(slots[start])
        end = min(max(end, start + 1), len(order))
        yield _batch(order[start:end], slots[start:end], padding.mixed)
        start = end


def _joined(slots: npt.NDArray[np.int64], least: int) -> npt.NDArray[np.int64]:
    """Sorted lengths, those of small groups raised to the length of longer pairs before them."""
    joined = slots.copy()
    start = 0
    for end in [*(np.flatnonzero(np.diff(slots)) + 1).tolist(), len(slots)]:
        length = int(slots[start])
        full = (end - start) * length >= least
        if end == len(slots) or full or length - slots[end] > length * _MOST_PADDING:
            joined[start:end] = length
            start = end
    return joined


def _batch(pairs: npt.NDArray[np.int64], slots: npt.NDArray[np.int64], mixed: bool) -> Batch:
    """The batch of sorted pairs: groups of one length each, or one group if not mixed."""
    cuts = np.flatnonzero(np.diff(slots)) + 1 if mixed else np.array([], np.int64)
    parts = np.split(pairs, cuts)
    firsts = [0, *cuts.tolist()]
    return Batch(tuple(Group(x, int(slots[at])) for x, at in zip(parts, firsts, strict=True)))
