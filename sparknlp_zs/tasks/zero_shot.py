"""Zero-shot classification by entailment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import ClassVar, TypeAlias

import numpy as np
import pyarrow as pa

from sparknlp_zs.tasks.base import (
    ClassIds,
    Logits,
    Pair,
    Row,
    Scores,
    Steps,
    TextTask,
    by_row,
    softmax,
)
from sparknlp_zs.tasks.prefilter import checked_prefilter, prefiltered
from sparknlp_zs.tasks.ranked import RANKED, ranked

DEFAULT_TEMPLATE = "This example is {}."
Labels: TypeAlias = Iterable[str] | Mapping[str, str]  # a mapping: label to description


def label_scores(logits: Logits, classes: ClassIds, multi_label: bool) -> Scores:
    """Scores of labels from logits [rows, labels, classes], as float64 [rows, labels].

    A softmax over the labels; with ``multi_label``, or a single label, each label by itself.
    """
    entailment = logits[..., classes.entailment]
    if not multi_label and logits.shape[1] > 1:
        return softmax(entailment)
    against = np.stack([logits[..., classes.negative], entailment], axis=-1)
    return softmax(against)[..., 1]


@dataclass(frozen=True)
class ZeroShot(TextTask):
    """Zero-shot classification by entailment (Yin et al. 2019, arXiv:1909.00161).

    Each label becomes a hypothesis; the entailment logits of a text's hypotheses give its scores.

    Parameters
    ----------
    labels : iterable of str, or mapping of str to str
        Candidate labels: at least one, none blank, none twice. A mapping gives each label a
        description, which the hypothesis says in its place.
    hypothesis_template : str
        Sentence with ``{}`` where the label, or its description, goes (filled by replacement, so
        that braces in labels are safe). With ``"{}"`` the descriptions are the hypotheses.
    multi_label : bool
        False: softmax of the entailment logits over the labels, scores of a row sum to 1.
        True: each label by itself, softmax of its [contradiction, entailment] logits. A single
        candidate label is always scored this way, as in Hugging Face's pipeline.
    prefilter : int or None
        Score only so many labels of each text: those whose descriptions a sentence encoder finds
        nearest in meaning (see ``ModelSpec.embedder``). The others are left out of the result, or
        have the score 0 where each label has a field. None scores all.

    Raises
    ------
    TypeError
        If labels is neither a list of strings nor a mapping between strings.
    ValueError
        If labels or descriptions are empty or have blanks or duplicates, the template has no
        ``{}``, or prefilter is below 1.

    Examples
    --------
    >>> task = ZeroShot(["travel", "cooking"])
    >>> task.hypotheses
    ('This example is travel.', 'This example is cooking.')
    >>> ZeroShot({"refund": "about money that should be paid back"}).hypotheses
    ('This example is about money that should be paid back.',)
    >>> from sparknlp_zs.tasks import task_from_json
    >>> task_from_json(task.to_json()) == task
    True
    """

    labels: tuple[str, ...]
    hypothesis_template: str = DEFAULT_TEMPLATE
    multi_label: bool = False
    descriptions: tuple[str, ...] = ()
    prefilter: int | None = None

    kind: ClassVar[str] = "zero_shot"
    columns: ClassVar[tuple[str, ...]] = ("text",)

    def __init__(
        self,
        labels: Labels,
        hypothesis_template: str = DEFAULT_TEMPLATE,
        multi_label: bool = False,
        descriptions: Iterable[str] | None = None,
        *,
        prefilter: int | None = None,
    ) -> None:
        if isinstance(labels, Mapping):
            descriptions, labels = list(labels.values()), list(labels)
        names = _checked_labels(labels, "labels")
        said = names if descriptions is None else _checked_labels(descriptions, "descriptions")
        if len(said) != len(names):
            raise ValueError(f"descriptions: {len(said)} for {len(names)} labels; pass as many")
        object.__setattr__(self, "labels", names)
        object.__setattr__(self, "descriptions", said)
        object.__setattr__(self, "hypothesis_template", _checked_template(hypothesis_template))
        object.__setattr__(self, "multi_label", _checked_flag("multi_label", multi_label))
        object.__setattr__(self, "prefilter", checked_prefilter(prefilter))

    @cached_property  # asked for every row
    def hypotheses(self) -> tuple[str, ...]:
        """One hypothesis per label."""
        return tuple(self.hypothesis_template.replace("{}", said) for said in self.descriptions)

    @property
    def pairs_per_row(self) -> int:
        return min(len(self.labels), self.prefilter or len(self.labels))

    @property
    def needs_embedder(self) -> bool:
        """Whether ``prefilter`` leaves any label out."""
        return self.prefilter is not None and self.prefilter < len(self.labels)

    def pairs(self, row: Row) -> list[Pair]:
        """(premise, hypothesis) for each label, in the labels' order; ``steps`` asks for fewer."""
        return [(row[0], hypothesis) for hypothesis in self.hypotheses]

    def scores(self, logits: Logits, classes: ClassIds) -> Scores:
        """Scores from logits [rows, labels, classes], as float64 [rows, labels]."""
        return label_scores(logits, classes, self.multi_label)

    @property
    def result_type(self) -> pa.StructType:
        """``struct<label, score, labels, scores>``; the lists are in descending order of score."""
        return RANKED

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [rows x labels, classes]."""
        scores = self.scores(by_row(logits, len(rows), len(self.labels)), classes)
        return ranked(self.labels, scores)

    def steps(self, rows: Sequence[Row], classes: ClassIds) -> Steps:
        """All pairs at once; with ``prefilter`` the similarities first."""
        if self.needs_embedder:
            return (yield from prefiltered(self, rows, classes))
        logits = yield [self.pairs(row) for row in rows]
        return self.result(rows, logits, classes)

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        return json.dumps({"kind": self.kind, **asdict(self)})


class ZeroShotScores(ZeroShot):
    """Zero-shot classification whose result has one float64 field per label, in given order.

    Examples
    --------
    >>> [field.name for field in ZeroShotScores(["travel", "cooking"]).result_type]
    ['travel', 'cooking']
    """

    kind: ClassVar[str] = "zero_shot_scores"

    @property
    def result_type(self) -> pa.StructType:
        return pa.struct([(label, pa.float64()) for label in self.labels])

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [rows x labels, classes]."""
        scores = self.scores(by_row(logits, len(rows), len(self.labels)), classes)
        columns = [pa.array(column) for column in scores.T]
        return pa.StructArray.from_arrays(columns, fields=list(self.result_type))


def _checked_labels(labels: Iterable[str], name: str) -> tuple[str, ...]:
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable):
        raise TypeError(
            f"{name}={labels!r}: pass a list of strings, such as ['travel', 'cooking'], or a dict "
            "from labels to descriptions"
        )
    checked = tuple(labels)
    for label in checked:
        if not isinstance(label, str):
            raise TypeError(f"{name}: {label!r} is a {type(label).__name__}; pass strings")
        if not label.strip():
            raise ValueError(f"{name}: {label!r} is blank; give every label a name")
    if not checked:
        raise ValueError(f"{name}=[]: pass at least one candidate label")
    twice = sorted({label for label in checked if checked.count(label) > 1})
    if twice:
        raise ValueError(f"{name}: {twice} given more than once; remove the duplicates")
    return tuple(str(label) for label in checked)


def _checked_template(template: str) -> str:
    if not isinstance(template, str):
        raise TypeError(
            f"hypothesis_template={template!r}: pass a string such as {DEFAULT_TEMPLATE!r}"
        )
    if "{}" not in template:
        raise ValueError(
            f"hypothesis_template={template!r} has no {{}} for the label; "
            f"use something like {DEFAULT_TEMPLATE!r}"
        )
    return template


def _checked_flag(name: str, value: bool) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={value!r}: pass True or False")
    return bool(value)
