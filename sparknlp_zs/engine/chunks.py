"""Long texts in chunks: which tokens of each pair's text, and the pooling of their logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sparknlp_zs.engine.encoding import Ids, PairEncoder
from sparknlp_zs.tasks import ClassIds, Pair
from sparknlp_zs.tasks.long_text import Beside

Places = npt.NDArray[np.int64]
Logits = npt.NDArray[np.float32]

_OVERLAP = 64


@dataclass(frozen=True)
class Spans:
    """Parts of the pairs' first texts, pair by pair and in the order of the text.

    Parameters
    ----------
    pair_of : int array [spans]
        Whose text it is.
    starts, sizes : int array [spans]
        The part's first token in the text, and how many they are.
    """

    pair_of: Places
    starts: Places
    sizes: Places

    @property
    def firsts(self) -> Places:
        """Where each pair's spans start, if no pair is without one, int [pairs]."""
        return np.flatnonzero(np.diff(self.pair_of, prepend=-1))

    def distinct(self, first_of: Places, second_of: Places) -> tuple[Spans, Places]:
        """The spans that differ in what is scored, and each span's place among them.

        Tasks that differ in their labels or in how they pool may have spans in common.
        """
        texts = first_of[self.pair_of], second_of[self.pair_of]
        keys = np.stack([*texts, self.starts, self.sizes])
        _, kept, places = np.unique(keys, axis=1, return_index=True, return_inverse=True)
        distinct = Spans(self.pair_of[kept], self.starts[kept], self.sizes[kept])
        return distinct, places.reshape(-1)  # NumPy 2.0 gave it another shape


def chunked(
    pairs: Sequence[Pair],
    encoder: PairEncoder,
    first_sizes: Places,
    second: Sequence[Ids],
    second_of: Places,
) -> Spans | None:
    """The chunks of the pairs whose task asks for them, and the whole text of the others.

    Parameters
    ----------
    pairs : sequence of Pair
    encoder : PairEncoder
    first_sizes : int array [pairs]
        Tokens of the pairs' first texts.
    second : list of int array
        Ids of the distinct second texts.
    second_of : int array [pairs]
        The place of a pair's second text among them.

    Returns
    -------
    Spans or None
        None if no pair is to be chunked.

    Raises
    ------
    ValueError
        If a text is to be chunked with an overlap that its chunks have no room for.
    """
    of_pair = [pair[2] if len(pair) > 2 else None for pair in pairs]
    if not any(isinstance(beside, Beside) for beside in of_pair):
        return None
    token_count = {pair[1]: len(second[at]) for pair, at in zip(pairs, second_of, strict=True)}
    limits: dict[Beside, tuple[int, int]] = {}
    rooms, overlaps = first_sizes.copy(), np.zeros_like(first_sizes)
    for at, beside in enumerate(of_pair):
        if isinstance(beside, Beside):
            if beside not in limits:
                limits[beside] = _limits(beside, token_count, encoder)
            rooms[at], overlaps[at] = limits[beside]
    _check_overlaps(first_sizes, rooms, overlaps)
    return spans_of(first_sizes, rooms, overlaps)


def spans_of(sizes: Places, rooms: Places, overlaps: Places) -> Spans:
    """As few spans of texts as fit, evenly spread, with at least the overlap between them.

    Spans of a text have one length, so that no small rest at its end counts as much as a whole
    chunk.

    Parameters
    ----------
    sizes, rooms, overlaps : int array [pairs]
        Tokens of a text, of its longest possible span, and in two neighbours at least; a room is
        greater than the overlap wherever the text is longer.

    Examples
    --------
    >>> spans = spans_of(np.array([5, 21]), np.array([10, 10]), np.array([2, 2]))
    >>> spans.pair_of.tolist(), spans.starts.tolist(), spans.sizes.tolist()
    ([0, 1, 1, 1], [0, 0, 6, 12], [5, 9, 9, 9])
    """
    strides = np.maximum(rooms - overlaps, 1)
    counts = 1 + np.maximum(-(-(sizes - rooms) // strides), 0)
    lengths = -(-(sizes + (counts - 1) * overlaps) // counts)
    pair_of = np.repeat(np.arange(len(sizes)), counts)
    at = np.arange(len(pair_of)) - np.repeat(np.cumsum(counts) - counts, counts)
    gaps = np.maximum(counts - 1, 1)
    starts = at * (sizes - lengths)[pair_of] // gaps[pair_of]
    return Spans(pair_of, starts, lengths[pair_of])


def pooled(logits: Logits, spans: Spans, pairs: Sequence[Pair], classes: ClassIds) -> Logits:
    """Logits [pairs, classes] from those of the spans; those of a single span unchanged.

    See ``Chunks`` for what the pools mean.
    """
    firsts = spans.firsts
    best = logits[_most_entailed(logits, spans, classes)]
    sums = np.add.reduceat(logits.astype(np.float64), firsts, axis=0)
    counts = np.diff(firsts, append=len(spans.pair_of))
    means = (sums / counts[:, None]).astype(np.float32)
    return np.where(np.array([_is_mean(pair) for pair in pairs])[:, None], means, best)


def _most_entailed(logits: Logits, spans: Spans, classes: ClassIds) -> Places:
    """The span of each pair with the greatest margin of entailment, the first of equal ones."""
    margins = logits[:, classes.entailment] - logits[:, classes.negative]
    order = np.lexsort((-margins, spans.pair_of))  # stable
    return order[spans.firsts]


def _is_mean(pair: Pair) -> bool:
    beside: Any = pair[2] if len(pair) > 2 else None
    return isinstance(beside, Beside) and beside.chunks.pool == "mean"


def _limits(beside: Beside, token_count: dict[str, int], encoder: PairEncoder) -> tuple[int, int]:
    """The room for chunks, and their overlap."""
    room = encoder.room(max(token_count[hypothesis] for hypothesis in beside.hypotheses))
    overlap = beside.chunks.overlap
    return room, min(_OVERLAP, room // 4) if overlap is None else overlap


def _check_overlaps(sizes: Places, rooms: Places, overlaps: Places) -> None:
    wrong = (sizes > rooms) & (overlaps >= rooms)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ValueError(
            f"overlap={overlaps[at]}: a text is to be chunked beside hypotheses that leave room "
            f"for {rooms[at]} tokens, and neighbouring chunks cannot share as many; lower the "
            "overlap, raise max_length, or shorten the hypotheses"
        )
