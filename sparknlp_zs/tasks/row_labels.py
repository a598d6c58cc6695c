"""Zero-shot classification with labels of their own for each row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparknlp_zs.tasks.base import (
    ClassIds,
    Logits,
    Pair,
    Row,
    Scores,
    by_row,
    is_text,
    label_scores,
    mean_logits,
)
from sparknlp_zs.tasks.checks import (
    DEFAULT_TEMPLATE,
    Templates,
    Threshold,
    Thresholds,
    checked_templates,
    checked_threshold,
    filled,
)
from sparknlp_zs.tasks.long_text import (
    TRUNCATE,
    LongText,
    checked_long_text,
    long_text_fields,
    paired,
)
from sparknlp_zs.tasks.ranked import RANKED, ranked_rows
from sparknlp_zs.tasks.zero_shot import ZeroShot

Positions: TypeAlias = npt.NDArray[np.int64]
DESCRIBED = pa.map_(pa.string(), pa.string())  # a row's labels with their descriptions
RowsLabels: TypeAlias = tuple[str, ...] | tuple[tuple[str, str], ...]  # or label, description


@dataclass(frozen=True)
class RowLabels:
    """Classification of (text, labels, multi_label) columns.

    Labels are an array of strings, or a map from label to description, which the hypothesis then
    says in the label's place. The scores of a row are those of ``ZeroShot`` with its labels. Null
    where the text is null, empty or blank, the labels null or empty, or the boolean null; a row
    with blank, duplicate or null labels or descriptions is an error that names them.

    Parameters
    ----------
    hypothesis_template : str, or sequence of str
        Sentence with ``{}`` where the label goes; several as for ``ZeroShot``.
    threshold : float, or mapping of str to float
        As for ``ZeroShot``; a mapping may name labels that no row has.
    long_text : {"truncate", "chunk"} or Chunks
        As for ``ZeroShot``.

    Examples
    --------
    >>> RowLabels().pairs(("the text", ("travel", "cooking"), False))[0]
    ('the text', 'This example is travel.')
    >>> described = (("refund", "about money back"), ("fee", "about costs"))
    >>> RowLabels().pairs(("the text", described, False))[0]
    ('the text', 'This example is about money back.')
    """

    hypothesis_template: Templates = DEFAULT_TEMPLATE
    threshold: Thresholds = 0.0
    long_text: LongText = TRUNCATE

    kind: ClassVar[str] = "row_labels"
    columns: ClassVar[tuple[str, ...]] = ("text", "labels", "multi_label")

    def __init__(
        self,
        hypothesis_template: Templates = DEFAULT_TEMPLATE,
        threshold: Threshold = 0.0,
        *,
        long_text: LongText = TRUNCATE,
    ) -> None:
        object.__setattr__(self, "hypothesis_template", checked_templates(hypothesis_template))
        object.__setattr__(self, "threshold", checked_threshold(threshold, None))
        object.__setattr__(self, "long_text", checked_long_text(long_text))

    @property
    def _templates(self) -> int:
        return 1 if isinstance(self.hypothesis_template, str) else len(self.hypothesis_template)

    @property
    def result_type(self) -> pa.DataType:
        """``struct<label, score, labels, scores>``, as from ``ZeroShot``."""
        return RANKED

    def admits(self, column: str, value: Any) -> bool:
        """Texts that are not blank, labels that are not empty.

        Raises
        ------
        TypeError, ValueError
            If a row has blank, duplicate or null labels, or a value is of another type.
        """
        if column == "text":
            return is_text(column, value)
        if column == "labels":
            return self._admits_labels(value)
        if not isinstance(value, bool):
            raise TypeError(f"multi_label={value!r}: pass a column of booleans")
        return True

    def _admits_labels(self, labels: Any) -> bool:
        if not isinstance(labels, tuple):
            raise TypeError(f"labels={labels!r}: pass an array of strings")
        try:
            return bool(labels) and bool(ZeroShot(_names(labels), descriptions=_said(labels)))
        except (TypeError, ValueError) as error:
            raise type(error)(f"labels={list(labels)!r} of a row: {error}") from error

    def pairs(self, row: Row) -> list[Pair]:
        """(premise, hypothesis) by each template for each of the row's labels, in their order."""
        text, labels, _ = row
        said = (filled(self.hypothesis_template, text) for text in _said(labels))
        return paired(text, [hypothesis for some in said for hypothesis in some], self.long_text)

    def _label_logits(self, logits: Logits) -> Logits:
        """Logits [labels of all rows, classes] from those of their hypotheses."""
        several = by_row(logits, len(logits) // self._templates, self._templates)
        return mean_logits(several, [self._templates])[:, 0]

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.Array:
        """Arrow structs of ``result_type`` from logits [hypotheses of all rows, classes]."""
        logits = self._label_logits(logits)
        scores = np.zeros(len(logits))
        ranking = np.zeros(len(logits), dtype=np.int64)  # positions in the labels of all rows
        for at, found in _equal_rows(rows, logits, classes):
            order = np.argsort(-found, axis=1, kind="stable")
            scores[at] = np.take_along_axis(found, order, axis=1)
            ranking[at] = np.take_along_axis(at, order, axis=1)
        labels = _labels(rows).take(pa.array(ranking))
        return ranked_rows(labels, scores, _starts(rows), self.threshold)

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        options = {**asdict(self), "long_text": long_text_fields(self.long_text)}
        return json.dumps({"kind": self.kind, **options})


class RowLabelScores(RowLabels):
    """As ``RowLabels``, with a map from label to score, in the order of the row's array.

    Examples
    --------
    >>> RowLabelScores().result_type
    MapType(map<string, double>)
    """

    kind: ClassVar[str] = "row_label_scores"

    @property
    def result_type(self) -> pa.DataType:
        return pa.map_(pa.string(), pa.float64())

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.Array:
        """Arrow maps from logits [hypotheses of all rows, classes]."""
        logits = self._label_logits(logits)
        scores = np.zeros(len(logits))
        for at, found in _equal_rows(rows, logits, classes):
            scores[at] = found
        offsets = pa.array(_starts(rows), pa.int32())
        return pa.MapArray.from_arrays(offsets, _labels(rows), pa.array(scores))


def _equal_rows(
    rows: Sequence[Row], logits: Logits, classes: ClassIds
) -> Iterator[tuple[Positions, Scores]]:
    """Rows with as many labels and one ``multi_label``: their pairs' positions, their scores.

    Both have the shape [rows, labels]. Label sets of one size are computed together.
    """
    starts = _starts(rows)[:-1]
    groups: dict[tuple[int, bool], list[int]] = {}
    for row, (_, labels, multi_label) in enumerate(rows):
        groups.setdefault((len(labels), multi_label), []).append(row)
    for (size, multi_label), members in groups.items():
        at = starts[members][:, None] + np.arange(size)
        yield at, label_scores(logits[at], classes, multi_label)


def _starts(rows: Sequence[Row]) -> Positions:
    """Where each row's labels start among all rows' labels, and where the last end."""
    return np.cumsum([0, *(len(labels) for _, labels, _ in rows)], dtype=np.int64)


def _labels(rows: Sequence[Row]) -> pa.Array:
    return pa.array([name for _, labels, _ in rows for name in _names(labels)], pa.string())


def _names(labels: RowsLabels) -> list[str]:
    return [label[0] if isinstance(label, tuple) else label for label in labels]


def _said(labels: RowsLabels) -> list[str]:
    """What hypotheses say: the descriptions, or the labels themselves."""
    return [label[1] if isinstance(label, tuple) else label for label in labels]
