"""Zero-shot classification with labels of their own for each row: an Arrow column of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from sparknlp_zs.tasks import DEFAULT_TEMPLATE, ZeroShot, ZeroShotScores

if TYPE_CHECKING:
    from sparknlp_zs.engine.scorer import Column, Columns, Scorer

LabelSet: TypeAlias = tuple[tuple[str, ...], bool]  # the labels in order, multi_label


@dataclass(frozen=True)
class RowLabels:
    """Classification of (text, labels, multi_label) columns.

    Rows with equal labels are scored together, each group as a ``ZeroShot`` task: the scores are
    those of a call with these labels for all rows.

    Parameters
    ----------
    hypothesis_template : str
        Sentence with ``{}`` where the label goes.

    Examples
    --------
    >>> RowLabels().result_type.field("label").type
    DataType(string)
    """

    hypothesis_template: str = DEFAULT_TEMPLATE

    def __post_init__(self) -> None:
        ZeroShot(["any label"], self.hypothesis_template)  # a wrong template fails here

    @property
    def result_type(self) -> pa.DataType:
        """``struct<label, score, labels, scores>``, as from ``ZeroShot``."""
        return ZeroShot(["any label"]).result_type

    def score(self, scorer: Scorer, columns: Columns) -> pa.Array:
        """Score rows together.

        Parameters
        ----------
        scorer : Scorer
        columns : sequence of pyarrow.Array
            Texts, arrays of labels and booleans, of equal length.

        Returns
        -------
        pyarrow.Array of ``result_type``
            Null where the text is null, empty or blank, the array null or empty, or the boolean
            null.

        Raises
        ------
        TypeError, ValueError
            If a row's array has blank, duplicate or null labels, or is no array.
        """
        text, labels, multi_label = columns
        groups = group_rows(labels, multi_label)
        # All arrays are checked before the first group is scored.
        tasks = [self._task(label_set) for label_set in groups]
        parts = [
            self._score_group(scorer, task, text.take(pa.array(rows)))
            for task, rows in zip(tasks, groups.values(), strict=True)
        ]
        return _scattered(parts, list(groups.values()), len(text), self.result_type)

    def _task(self, label_set: LabelSet) -> ZeroShot:
        return _checked_task(ZeroShot, label_set, self.hypothesis_template)

    def _score_group(self, scorer: Scorer, task: ZeroShot, text: Column) -> pa.Array:
        (result,) = scorer.score_stream(task, iter([[text]]))
        return result


class RowLabelScores(RowLabels):
    """As ``RowLabels``, with a map from label to score, in the order of the row's array.

    Examples
    --------
    >>> RowLabelScores().result_type
    MapType(map<string, double>)
    """

    @property
    def result_type(self) -> pa.DataType:
        return pa.map_(pa.string(), pa.float64())

    def _task(self, label_set: LabelSet) -> ZeroShot:
        return _checked_task(ZeroShotScores, label_set, self.hypothesis_template)

    def _score_group(self, scorer: Scorer, task: ZeroShot, text: Column) -> pa.Array:
        scores = super()._score_group(scorer, task, text)
        null = scores.is_null().to_numpy(zero_copy_only=False)
        found = scores.drop_null()
        items = np.stack([x.to_numpy(zero_copy_only=False) for x in found.flatten()], axis=1)
        # A map is null where its first offset is; null maps hold no entries.
        offsets = np.append(0, np.cumsum(~null)) * len(task.labels)
        return pa.MapArray.from_arrays(
            pa.array(offsets, pa.int32(), mask=np.append(null, False)),
            pa.array(task.labels * len(found), pa.string()),
            pa.array(items.ravel(), pa.float64()),
        )


def group_rows(labels: Column, multi_label: Column) -> dict[LabelSet, list[int]]:
    """The rows of each label set; rows without labels are in none.

    Raises
    ------
    TypeError
        If a value is no array.

    Examples
    --------
    >>> labels = pa.array([["a", "b"], None, [], ["c"], ["a", "b"]])
    >>> group_rows(labels, pa.array([False] * 5))
    {(('a', 'b'), False): [0, 4], (('c',), False): [3]}
    """
    groups: dict[LabelSet, list[int]] = {}
    pairs = zip(labels.to_pylist(), multi_label.to_pylist(), strict=True)
    for row, (names, multi) in enumerate(pairs):
        if names is not None and not isinstance(names, list):
            raise TypeError(f"labels={names!r}: pass an array of strings")
        if names and multi is not None:
            groups.setdefault((tuple(names), multi), []).append(row)
    return groups


def _checked_task(kind: type[ZeroShot], label_set: LabelSet, template: str) -> ZeroShot:
    labels, multi_label = label_set
    try:
        return kind(labels, template, multi_label)
    except (TypeError, ValueError) as error:
        raise type(error)(f"labels={list(labels)!r} of a row: {error}") from error


def _scattered(
    parts: list[pa.Array], rows_of: list[list[int]], length: int, kind: pa.DataType
) -> pa.Array:
    """The parts' values at their rows; null elsewhere."""
    place = np.full(length, -1, dtype=np.int64)
    place[np.concatenate([np.array(rows, np.int64) for rows in [[], *rows_of]])] = np.arange(
        sum(len(rows) for rows in rows_of)
    )
    joined = pa.concat_arrays([pa.array([], kind), *(part.cast(kind) for part in parts)])
    return joined.take(pa.array(place, mask=place < 0))
