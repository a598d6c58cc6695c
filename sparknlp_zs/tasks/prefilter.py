"""Many labels: only those nearest to a text in meaning are scored by entailment."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparknlp_zs.tasks.base import (
    ClassIds,
    Logits,
    Row,
    Similarity,
    Steps,
    by_row,
    label_scores,
    mean_logits,
)
from sparknlp_zs.tasks.checks import Sentences
from sparknlp_zs.tasks.long_text import paired

if TYPE_CHECKING:
    from sparknlp_zs.tasks.zero_shot import ZeroShot

Places: TypeAlias = npt.NDArray[np.int64]

_DECIMALS = 5  # labels whose cosines differ by rounding only tie, and the first ones are kept
_BLOCK = 1 << 21  # scores that are computed together


def checked_prefilter(prefilter: int | None) -> int | None:
    """The number of labels to keep, if it is one.

    Raises
    ------
    TypeError, ValueError
        If it is no whole number above 0.
    """
    if prefilter is None:
        return None
    try:
        count = None if isinstance(prefilter, bool) else operator.index(prefilter)
    except TypeError:
        count = None
    if count is None:
        raise TypeError(
            f"prefilter={prefilter!r}: pass how many labels to keep for each text, such as 15, "
            "or None"
        )
    if count < 1:
        raise ValueError(f"prefilter={count}: keep at least one label, or pass None for all")
    return count


def nearest(cosines: npt.NDArray[np.floating[Any]], count: int) -> Places:
    """The places of the ``count`` greatest cosines of each row, in ascending order of place.

    Parameters
    ----------
    cosines : float array [rows, labels]
    count : int
        At most the number of labels.

    Returns
    -------
    int array [rows, count]

    Examples
    --------
    >>> nearest(np.array([[0.1, 0.9, 0.5, 0.5]]), 2)
    array([[1, 2]])
    """
    order = np.argsort(-np.round(cosines, _DECIMALS), axis=1, kind="stable")
    return np.sort(order[:, :count], axis=1)


def prefiltered(task: ZeroShot, rows: Sequence[Row], classes: ClassIds) -> Steps:
    """The steps of zero-shot classification among the labels nearest to each text.

    The scores of the labels that are kept are those of a ``ZeroShot`` with these alone; the other
    labels' are 0.
    """
    texts = tuple(row[0] for row in rows)
    compared = [own or (said,) for own, said in _own_and_said(task)]
    cosines = yield Similarity(texts, tuple(chain.from_iterable(compared)))
    cosines = _greatest(cosines, [len(sentences) for sentences in compared])
    assert task.prefilter is not None
    kept = nearest(cosines, task.prefilter)
    said = list(task.hypotheses_by_label.values())
    logits = yield [
        paired(text, [hypothesis for at in places for hypothesis in said[at]], task.long_text)
        for text, places in zip(texts, kept.tolist(), strict=True)
    ]
    sizes = [len(said[at]) for at in kept.ravel().tolist()]
    of_labels = mean_logits(logits[None], sizes)[0] if len(rows) else logits
    return _result(task, kept, by_row(of_labels, len(rows), task.prefilter), classes)


def _own_and_said(task: ZeroShot) -> Iterator[tuple[Sentences, str]]:
    """Each label's own hypotheses, and what others say of it: codes mean nothing to an encoder."""
    own = dict(task.own_hypotheses)
    return ((own.get(x, ()), said) for x, said in zip(task.labels, task.said, strict=True))


def _greatest(
    cosines: npt.NDArray[np.floating[Any]], sizes: Sequence[int]
) -> npt.NDArray[np.floating[Any]]:
    """Of each label's sentences, from cosines [rows, sentences of all labels]."""
    starts = np.cumsum([0, *sizes[:-1]])
    found: npt.NDArray[np.floating[Any]] = np.maximum.reduceat(cosines, starts, axis=1)
    return found


def _result(task: ZeroShot, kept: Places, logits: Logits, classes: ClassIds) -> pa.Array:
    count = kept.shape[1]
    # A label by itself is weighed against its contradiction, as if it were given alone.
    alone = task.multi_label or count == 1
    parts = []
    for part in _blocks(len(kept), len(task.labels)):
        full, known = _spread(task, kept[part], logits[part], classes)
        # Biases even out labels against each other: one by itself has none.
        biased = task.multi_label or count > 1
        scores = (task.label_scores if biased else label_scores)(full, classes, alone)
        parts.append(task.result_of(scores, known))
    return pa.concat_arrays(parts) if parts else pa.array([], task.result_type)


def _blocks(rows: int, labels: int) -> Iterator[slice]:
    """Slices of the rows, so that memory is bounded however many labels there are."""
    size = max(1, _BLOCK // labels)
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def _spread(
    task: ZeroShot, kept: Places, logits: Logits, classes: ClassIds
) -> tuple[Logits, npt.NDArray[np.bool_]]:
    """Logits of all labels, [rows, labels, classes], and which are known [rows, labels].

    Those left out can never be entailed.
    """
    full = np.zeros((len(kept), len(task.labels), logits.shape[-1]), dtype=logits.dtype)
    full[..., classes.entailment] = -np.inf
    known = np.zeros(full.shape[:2], dtype=bool)
    at = np.arange(len(kept))[:, None], kept
    full[at], known[at] = logits, True
    return full, known
