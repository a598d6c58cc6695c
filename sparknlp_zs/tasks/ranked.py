"""The results of choosing among labels: all of them by score, or a field for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparknlp_zs.tasks.base import Scores
from sparknlp_zs.tasks.checks import Thresholds

Known: TypeAlias = npt.NDArray[np.bool_] | None  # bool [rows, labels]; None: all

RANKED = pa.struct(
    [
        ("label", pa.string()),
        ("score", pa.float64()),
        ("labels", pa.list_(pa.string())),
        ("scores", pa.list_(pa.float64())),
    ]
)


def field_each(labels: Sequence[str]) -> pa.StructType:
    """A struct with one float64 field per label."""
    return pa.struct([(label, pa.float64()) for label in labels])


def fields_of(labels: Sequence[str], scores: Scores) -> pa.StructArray:
    """Structs of ``field_each`` from scores [rows, labels].

    Examples
    --------
    >>> fields_of(["a", "b"], np.array([[0.25, 0.75]])).to_pylist()
    [{'a': 0.25, 'b': 0.75}]
    """
    columns = [pa.array(column) for column in scores.T]
    return pa.StructArray.from_arrays(columns, fields=list(field_each(labels)))


def ranked(
    labels: Sequence[str],
    scores: Scores,
    thresholds: Thresholds = 0.0,
    known: Known = None,
) -> pa.StructArray:
    """Structs of ``RANKED`` from scores [rows, labels], without those that are not ``known``.

    Examples
    --------
    >>> ranked(["a", "b"], np.array([[0.25, 0.75]])).to_pylist()
    [{'label': 'b', 'score': 0.75, 'labels': ['b', 'a'], 'scores': [0.75, 0.25]}]
    >>> ranked(["a", "b"], np.array([[0.25, 0.0]]), 0.5, np.array([[True, False]])).to_pylist()
    [{'label': None, 'score': 0.25, 'labels': ['a'], 'scores': [0.25]}]
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    values = np.take_along_axis(scores, order, axis=1)
    kept = np.ones_like(order, bool) if known is None else np.take_along_axis(known, order, axis=1)
    starts = np.concatenate([[0], kept.sum(axis=1).cumsum()])
    names = pa.array(labels, pa.string()).take(pa.array(order[kept]))
    return ranked_rows(names, values[kept], starts, thresholds)


def ranked_rows(
    labels: pa.Array, scores: Scores, starts: npt.NDArray[np.int64], thresholds: Thresholds = 0.0
) -> pa.StructArray:
    """Structs of ``RANKED`` from all rows' labels and scores, a row's in descending order.

    Parameters
    ----------
    labels : pyarrow.Array
        The labels of all rows, one row after the other.
    scores : float64 array
        Their scores.
    starts : int array [rows + 1]
        Where each row's labels start, and where the last end; no row is empty.
    thresholds : float or pairs of str and float
        A row's label is the best of those whose scores reach their thresholds (0 where none is
        given); null if none does, beside the best score.
    """
    passing = np.flatnonzero(scores >= _limits(labels, thresholds))
    place = np.searchsorted(passing, starts[:-1])  # of the row's first that passes, or beyond
    first = np.append(passing, len(scores))[place]
    abstains = first >= starts[1:]
    best = pa.array(np.where(abstains, starts[:-1], first))
    offsets = pa.array(starts, pa.int32())
    values = pa.array(scores)
    columns = [
        labels.take(pa.array(first, mask=abstains)),
        values.take(best),
        pa.ListArray.from_arrays(offsets, labels),
        pa.ListArray.from_arrays(offsets, values),
    ]
    return pa.StructArray.from_arrays(columns, fields=list(RANKED))


def _limits(labels: pa.Array, thresholds: Thresholds) -> float | Scores:
    if not isinstance(thresholds, tuple):
        return thresholds
    by_label = dict(thresholds)
    return np.array([by_label.get(label, 0.0) for label in labels.to_pylist()])
