"""Classification by a model that was trained on classes of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from sparknlp_zs.tasks.base import ClassIds, Logits, Pair, Row, Scores, TextTask, softmax
from sparknlp_zs.tasks.checks import checked_labels
from sparknlp_zs.tasks.ranked import RANKED, field_each, fields_of, ranked


@dataclass(frozen=True)
class Classifier(TextTask):
    """The classes of a sequence classifier over single texts.

    The result is ``struct<label, score, labels, scores>``: the likeliest class, its probability,
    and all classes in descending order of probability.

    Parameters
    ----------
    labels : iterable of str
        The names of the model's outputs, in their order; none blank, none twice.
    multi_label : bool
        False: softmax of the logits, the scores of a row sum to 1. True: each class by itself,
        the sigmoid of its logit.

    Raises
    ------
    TypeError, ValueError
        If the labels are wrong, or one class alone is to be chosen from.

    Examples
    --------
    >>> from sparknlp_zs.tasks import task_from_json
    >>> task = Classifier(["negative", "positive"])
    >>> task.pairs(("a fine film",))
    [('a fine film', '')]
    >>> task_from_json(task.to_json()) == task
    True
    """

    labels: tuple[str, ...]
    multi_label: bool = False

    kind: ClassVar[str] = "classifier"
    columns: ClassVar[tuple[str, ...]] = ("text",)

    def __init__(self, labels: Iterable[str], multi_label: bool = False) -> None:
        object.__setattr__(self, "labels", checked_labels(labels))
        object.__setattr__(self, "multi_label", bool(multi_label))
        if len(self.labels) < 2 and not multi_label:
            raise ValueError(
                f"labels={list(self.labels)}: one class leaves nothing to choose; use at least two"
            )

    @property
    def pairs_per_row(self) -> int:
        return 1

    @property
    def result_type(self) -> pa.StructType:
        return RANKED

    def pairs(self, row: Row) -> list[Pair]:
        """The text, and no second text."""
        return [(row[0], "")]

    def scores(self, logits: Logits) -> Scores:
        """Probabilities from logits [rows, classes], as float64 [rows, classes]."""
        if not self.multi_label:
            return softmax(logits)
        return softmax(np.stack([np.zeros_like(logits), logits], axis=-1))[..., 1]

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [rows, classes]."""
        return ranked(self.labels, self.scores(logits))

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        return json.dumps({"kind": self.kind, **asdict(self)})


class ClassifierScores(Classifier):
    """As ``Classifier``, with one float64 field per class, in the model's order.

    Examples
    --------
    >>> [field.name for field in ClassifierScores(["negative", "positive"]).result_type]
    ['negative', 'positive']
    """

    kind: ClassVar[str] = "classifier_scores"

    @property
    def result_type(self) -> pa.StructType:
        return field_each(self.labels)

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [rows, classes]."""
        return fields_of(self.labels, self.scores(logits))
