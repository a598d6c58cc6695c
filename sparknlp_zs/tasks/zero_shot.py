"""Zero-shot classification by entailment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np
import pyarrow as pa

from sparknlp_zs.tasks.base import ClassIds, Logits, Pair, Row, Scores, TextTask, by_row, softmax
from sparknlp_zs.tasks.calibration import calibrated, checked_bias, with_bias
from sparknlp_zs.tasks.ranked import RANKED, ranked

if TYPE_CHECKING:
    from sparknlp_zs.models import Model

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
    label_bias : iterable of float
        One per label, added to its entailment logits; ``calibrated`` fits them.

    Raises
    ------
    TypeError
        If labels is neither a list of strings nor a mapping between strings.
    ValueError
        If labels or descriptions are empty or have blanks or duplicates, or the template has no
        ``{}``.

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
    label_bias: tuple[float, ...] = ()

    kind: ClassVar[str] = "zero_shot"
    columns: ClassVar[tuple[str, ...]] = ("text",)

    def __init__(
        self,
        labels: Labels,
        hypothesis_template: str = DEFAULT_TEMPLATE,
        multi_label: bool = False,
        descriptions: Iterable[str] | None = None,
        *,
        label_bias: Iterable[float] = (),
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
        object.__setattr__(self, "label_bias", checked_bias(label_bias, len(names)))

    @cached_property  # asked for every row
    def hypotheses(self) -> tuple[str, ...]:
        """One hypothesis per label."""
        return tuple(self.hypothesis_template.replace("{}", said) for said in self.descriptions)

    @property
    def pairs_per_row(self) -> int:
        return len(self.labels)

    def pairs(self, row: Row) -> list[Pair]:
        """(premise, hypothesis) for each label, in the labels' order."""
        return [(row[0], hypothesis) for hypothesis in self.hypotheses]

    def scores(self, logits: Logits, classes: ClassIds) -> Scores:
        """Scores from logits [rows, labels, classes], as float64 [rows, labels]."""
        biased = with_bias(logits, classes, self.label_bias)
        return label_scores(biased, classes, self.multi_label)

    def calibrated(
        self,
        sample_texts: Any,
        *,
        model: Model = None,
        prior: Mapping[str, float] | None = None,
        strength: float | None = None,
    ) -> Self:
        """This task with biases that take away what the labels' words alone decide.

        Some labels sound likelier to a model than others, whatever the text. The biases bring the
        mean score of each label over a sample of unlabelled texts to its expected share of them:
        prior matching (Liusie et al. 2023, arXiv:2309.04992), with a shrinkage for small samples.

        Parameters
        ----------
        sample_texts : list of str, pandas.Series or pyarrow array
            Texts like those to be classified, without labels: at least 20, better some hundreds.
            Null, empty and blank ones are ignored.
        model : str, path, ModelSpec or None
            The model that will score: biases are fitted to its scores, and to no other's.
        prior : dict of str to float, or None
            The share of texts that each label has. None assumes equal shares, which hurts where
            one label has most of the texts: then pass its rough share. With ``multi_label`` it
            is the share of texts that a label applies to, and is needed.
        strength : float or None
            The biases are multiplied with it; above 0, at most 1. None is 1 with a ``prior``, and
            0.5 without, since shares that no one knows are seldom equal.

        Returns
        -------
        ZeroShot
            A new task, of this one's type. Biases that this one has are ignored.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, or there are too few texts.
        ModelNotFoundError
            If there is no such model.

        Examples
        --------
        >>> from sparknlp_zs.samples import messages
        >>> task = ZeroShot(["exchange rate", "lost or stolen card", "request refund"])
        >>> fair = task.calibrated(messages()["text"][:40], model="starter")
        >>> len(fair.label_bias), abs(sum(fair.label_bias)) < 1e-9
        (3, True)
        """
        return calibrated(self, sample_texts, model, prior, strength)

    @property
    def result_type(self) -> pa.StructType:
        """``struct<label, score, labels, scores>``; the lists are in descending order of score."""
        return RANKED

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [rows x labels, classes]."""
        scores = self.scores(by_row(logits, len(rows), len(self.labels)), classes)
        return ranked(self.labels, scores)

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
