"""WHAT to score: pairs of texts for a model, and the way from its logits to an Arrow result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

DEFAULT_TEMPLATE = "This example is {}."

Logits = npt.NDArray[np.floating[Any]]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClassIds:
    """Positions of the NLI classes in a model's logits; None for a class the model lacks.

    ``not_entailment`` is set for two-class models only, and then stands for ``contradiction``
    in zero-shot classification.
    """

    entailment: int
    neutral: int | None = None
    contradiction: int | None = None
    not_entailment: int | None = None

    @property
    def negative(self) -> int:
        """The class against which entailment is weighed in multi-label classification."""
        found = self.contradiction if self.contradiction is not None else self.not_entailment
        if found is None:
            raise ValueError(f"{self}: neither a contradiction nor a not_entailment class")
        return found

    def names(self) -> dict[str, int]:
        """Class name → position, for the classes that the model has."""
        return {name: at for name, at in asdict(self).items() if at is not None}


class Task(Protocol):
    """What the engine needs to know of a task."""

    kind: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    @property
    def pairs_per_row(self) -> int: ...

    @property
    def result_type(self) -> pa.StructType: ...

    def pairs(self, row: tuple[str, ...]) -> list[tuple[str, str]]: ...

    def result(self, logits: Logits, classes: ClassIds) -> pa.StructArray: ...

    def to_json(self) -> str: ...


@dataclass(frozen=True)
class ZeroShot:
    """Zero-shot classification by entailment (Yin et al. 2019, arXiv:1909.00161).

    Each label becomes a hypothesis; the entailment logits of a text's hypotheses give its scores.

    Parameters
    ----------
    labels : iterable of str
        Candidate labels: at least one, none blank, none twice.
    hypothesis_template : str
        Sentence with ``{}`` where the label goes (filled by replacement, so that braces in labels
        are safe).
    multi_label : bool
        False: softmax of the entailment logits over the labels, scores of a row sum to 1.
        True: each label by itself, softmax of its [contradiction, entailment] logits. A single
        candidate label is always scored this way, as in Hugging Face's pipeline.

    Raises
    ------
    TypeError
        If labels is not a list of strings.
    ValueError
        If labels is empty or has blanks or duplicates, or the template has no ``{}``.

    Examples
    --------
    >>> task = ZeroShot(["travel", "cooking"])
    >>> task.hypotheses
    ('This example is travel.', 'This example is cooking.')
    >>> task_from_json(task.to_json()) == task
    True
    """

    labels: tuple[str, ...]
    hypothesis_template: str = DEFAULT_TEMPLATE
    multi_label: bool = False

    kind: ClassVar[str] = "zero_shot"
    columns: ClassVar[tuple[str, ...]] = ("text",)

    def __init__(
        self,
        labels: Iterable[str],
        hypothesis_template: str = DEFAULT_TEMPLATE,
        multi_label: bool = False,
    ) -> None:
        object.__setattr__(self, "labels", _checked_labels(labels))
        object.__setattr__(self, "hypothesis_template", _checked_template(hypothesis_template))
        object.__setattr__(self, "multi_label", _checked_flag("multi_label", multi_label))

    @property
    def hypotheses(self) -> tuple[str, ...]:
        """One hypothesis per label."""
        return tuple(self.hypothesis_template.replace("{}", label) for label in self.labels)

    @property
    def pairs_per_row(self) -> int:
        return len(self.labels)

    def pairs(self, row: tuple[str, ...]) -> list[tuple[str, str]]:
        """(premise, hypothesis) for each label, in the labels' order."""
        return [(row[0], hypothesis) for hypothesis in self.hypotheses]

    def scores(self, logits: Logits, classes: ClassIds) -> Scores:
        """Scores from logits [rows, labels, classes], as float64 [rows, labels]."""
        entailment = logits[..., classes.entailment]
        if not self.multi_label and len(self.labels) > 1:
            return _softmax(entailment)
        against = np.stack([logits[..., classes.negative], entailment], axis=-1)
        return _softmax(against)[..., 1]

    @property
    def result_type(self) -> pa.StructType:
        """``struct<label, score, labels, scores>``; the lists are in descending order of score."""
        return pa.struct(
            [
                ("label", pa.string()),
                ("score", pa.float64()),
                ("labels", pa.list_(pa.string())),
                ("scores", pa.list_(pa.float64())),
            ]
        )

    def result(self, logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [rows, labels, classes]."""
        scores = self.scores(logits, classes)
        order = np.argsort(-scores, axis=1, kind="stable")
        ranked = np.take_along_axis(scores, order, axis=1)
        names = pa.array(self.labels, pa.string()).take(pa.array(order.ravel()))
        offsets = pa.array(np.arange(len(scores) + 1, dtype=np.int32) * len(self.labels))
        best = pa.array(order[:, 0])
        columns = [
            pa.array(self.labels, pa.string()).take(best),
            pa.array(ranked[:, 0]),
            pa.ListArray.from_arrays(offsets, names),
            pa.ListArray.from_arrays(offsets, pa.array(ranked.ravel())),
        ]
        return pa.StructArray.from_arrays(columns, fields=list(self.result_type))

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

    def result(self, logits: Logits, classes: ClassIds) -> pa.StructArray:
        scores = self.scores(logits, classes)
        columns = [pa.array(column) for column in scores.T]
        return pa.StructArray.from_arrays(columns, fields=list(self.result_type))


@dataclass(frozen=True)
class NLI:
    """Natural language inference: does the premise entail the hypothesis?

    The result is ``struct<label, score, entailment, neutral, contradiction>``: the likeliest
    class, its probability, and the probability of each class. For a two-class model the label is
    "entailment" or "not_entailment", and neutral and contradiction are null.

    Examples
    --------
    >>> [field.name for field in NLI().result_type]
    ['label', 'score', 'entailment', 'neutral', 'contradiction']
    """

    kind: ClassVar[str] = "nli"
    columns: ClassVar[tuple[str, ...]] = ("premise", "hypothesis")
    classes: ClassVar[tuple[str, ...]] = ("entailment", "neutral", "contradiction")

    @property
    def pairs_per_row(self) -> int:
        return 1

    @property
    def result_type(self) -> pa.StructType:
        probabilities = [(name, pa.float64()) for name in self.classes]
        return pa.struct([("label", pa.string()), ("score", pa.float64()), *probabilities])

    def pairs(self, row: tuple[str, ...]) -> list[tuple[str, str]]:
        """The row itself: (premise, hypothesis)."""
        return [(row[0], row[1])]

    def result(self, logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [rows, 1, classes]."""
        names = classes.names()
        probabilities = _softmax(logits[:, 0, list(names.values())])
        best = probabilities.argmax(axis=1)
        by_name = dict(zip(names, probabilities.T, strict=True))
        missing = pa.nulls(len(logits), pa.float64())
        columns = [
            pa.array(list(names), pa.string()).take(pa.array(best)),
            pa.array(probabilities.max(axis=1, initial=0.0)),
            *(pa.array(by_name[x]) if x in by_name else missing for x in self.classes),
        ]
        return pa.StructArray.from_arrays(columns, fields=list(self.result_type))

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        return json.dumps({"kind": self.kind})


def task_from_json(text: str) -> Task:
    """The task that ``to_json`` wrote.

    Raises
    ------
    ValueError
        If the kind of task is unknown.
    """
    fields = json.loads(text)
    kinds: dict[str, type] = {x.kind: x for x in (ZeroShot, ZeroShotScores, NLI)}
    kind = fields.pop("kind", None)
    if kind not in kinds:
        raise ValueError(f"kind={kind!r}: unknown task; known are {sorted(kinds)}")
    task: Task = kinds[kind](**fields)
    return task


def _softmax(logits: Logits) -> Scores:
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True, initial=-np.inf)
    exp = np.exp(shifted)
    normalised: Scores = exp / exp.sum(axis=-1, keepdims=True)
    return normalised


def _checked_labels(labels: Iterable[str]) -> tuple[str, ...]:
    if isinstance(labels, (str, bytes, Mapping)) or not isinstance(labels, Iterable):
        raise TypeError(f"labels={labels!r}: pass a list of strings, such as ['travel', 'cooking']")
    checked = tuple(labels)
    for label in checked:
        if not isinstance(label, str):
            raise TypeError(
                f"labels: {label!r} is a {type(label).__name__}; pass a list of strings"
            )
        if not label.strip():
            raise ValueError(f"labels: {label!r} is blank; give every label a name")
    if not checked:
        raise ValueError("labels=[]: pass at least one candidate label")
    twice = sorted({label for label in checked if checked.count(label) > 1})
    if twice:
        raise ValueError(f"labels: {twice} given more than once; remove the duplicates")
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
