"""Task heads: classifiers, regressors and choosers trained on named tasks, kept in an adapter."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from sparknlp_zs.tasks.base import ClassIds, Logits, Pair, Row, TextTask, softmax
from sparknlp_zs.tasks.ranked import RANKED, ranked

KINDS = ("classification", "regression", "multiple_choice")
TOKEN_KIND = "token_classification"  # recognised, and refused

TEXT = ("text",)
PAIR = ("text", "text_pair")
CHOICES = ("text", "choices")


@dataclass(frozen=True)
class AdapterTask:
    """A task of an adapter.

    Parameters
    ----------
    name : str
        Such as "glue/sst2".
    index : int
        Its position in the adapter.
    outputs : int
        Outputs of its classifier.
    kind : str or None
        "classification", "regression", "multiple_choice" or "token_classification"; None where
        the adapter does not tell.
    labels : tuple of str
        Names of the outputs of a classification.
    """

    name: str
    index: int
    outputs: int
    kind: str | None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskHead:
    """A ready-made head of a model, by its task's name.

    Parameters
    ----------
    name : str
        As in the adapter, such as "glue/sst2".
    kind : {"classification", "regression", "multiple_choice"} or None
        None reads it from the adapter, which in old formats does not tell regression from
        multiple choice.
    columns : tuple of str
        What is scored: ``("text",)``, ``("text", "text_pair")`` or ``("text", "choices")``.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these.

    Examples
    --------
    >>> TaskHead("glue/sst2").columns
    ('text',)
    """

    name: str
    kind: str | None = None
    columns: tuple[str, ...] = TEXT

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise TypeError(f"task={self.name!r}: pass a task's name, such as 'glue/sst2'")
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(
                f"kind={self.kind!r}: use one of {list(KINDS)}, or None to read it from the adapter"
            )
        if self.columns not in (TEXT, PAIR, CHOICES):
            raise ValueError(f"columns={self.columns!r}: use {TEXT}, {PAIR} or {CHOICES}")

    def resolve(self, found: AdapterTask) -> AdapterTask:
        """The adapter's task with its kind settled.

        Raises
        ------
        ValueError
            If neither the adapter nor the caller tells the kind, they contradict each other, the
            kind needs other columns, or the labels do not fit the outputs.
        """
        task = f"task {self.name!r}"
        if found.kind == TOKEN_KIND:
            raise ValueError(
                f"{task} labels tokens, not texts ({list(found.labels[:3])} ...), and cannot be "
                "scored here; choose a task of another kind"
            )
        kind = found.kind or self.kind
        if kind is None:
            raise ValueError(
                f"{task} has one output, and the adapter does not tell whether it is a regression "
                "or scores choices; pass kind='regression' or kind='multiple_choice'"
            )
        if self.kind not in (None, kind) or (kind == "classification") != (found.outputs > 1):
            raise ValueError(
                f"kind={self.kind!r}: {task} has {found.outputs} outputs and the kind "
                f"{found.kind!r} in the adapter; leave kind out"
            )
        if (kind == "multiple_choice") != (self.columns == CHOICES):
            remedy = "pass choices" if kind == "multiple_choice" else "leave choices out"
            raise ValueError(f"{task} is a {kind.replace('_', ' ')} task: {remedy}")
        if kind == "classification" and len(found.labels) != found.outputs:
            raise ValueError(
                f"{task}: the adapter's labels_list names {len(found.labels)} classes for "
                f"{found.outputs} outputs; correct it in the adapter's config.json"
            )
        return replace(found, kind=kind)


@dataclass(frozen=True)
class HeadTask(TextTask):
    """One head on single texts; what the engine scores.

    The result is ``struct<label, score, labels, scores>``: for a classification the likeliest
    class, its probability, and all of them in descending order; for a regression the value as
    ``score`` and null elsewhere. A multiple-choice head gives the raw score of one choice.

    Examples
    --------
    >>> from sparknlp_zs.tasks import task_from_json
    >>> task = HeadTask(AdapterTask("glue/sst2", 1, 2, "classification", ("negative", "positive")))
    >>> task_from_json(task.to_json()) == task
    True
    """

    head: AdapterTask

    kind: ClassVar[str] = "head"
    columns: ClassVar[tuple[str, ...]] = TEXT

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", read_head(self.head))

    @property
    def pairs_per_row(self) -> int:
        return 1

    @property
    def outputs(self) -> int:
        """How many of the network's outputs are this task's."""
        return self.head.outputs

    @property
    def result_type(self) -> pa.StructType:
        return RANKED

    def pairs(self, row: Row) -> list[Pair]:
        """(first text, second text or "", head) of the row."""
        return [(row[0], row[1] if len(row) > 1 else "", self.head.index)]

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [rows, outputs, or more of wider heads]."""
        return head_result(self.head, logits[:, : self.outputs])

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        return json.dumps({"kind": self.kind, "head": asdict(self.head)})


class PairHeadTask(HeadTask):
    """One head on pairs of texts."""

    kind: ClassVar[str] = "pair_head"
    columns: ClassVar[tuple[str, ...]] = PAIR


def read_head(value: AdapterTask | Mapping[str, Any]) -> AdapterTask:
    """The task itself, or from its JSON object."""
    if isinstance(value, AdapterTask):
        return value
    return AdapterTask(**{**value, "labels": tuple(value["labels"])})


def find_task(tasks: Sequence[AdapterTask], name: str) -> AdapterTask:
    """The task of a name.

    Raises
    ------
    ValueError
        If none or several have it; the error names similar ones.
    """
    found = [task for task in tasks if task.name == name]
    if len(found) > 1:
        raise ValueError(f"task {name!r}: the adapter has {len(found)} tasks of this name")
    if not found:
        names = [task.name for task in tasks]
        close = difflib.get_close_matches(name, names, 3, 0.4) or names[:3]
        raise ValueError(
            f"task {name!r}: the adapter has no such task; similar names are {close}. "
            "adapter_tasks(model, search=...) lists all"
        )
    return found[0]


def described(name: str, index: int, outputs: int, labels: Any, labels_known: bool) -> AdapterTask:
    """A task from its entries in an adapter's config.

    Parameters
    ----------
    labels : list or None
        Its entry of ``labels_list``: class names; integers for a multiple-choice task; empty for
        a regression. Names that are blank or given twice get their number: "a (0)", "a (1)".
    labels_known : bool
        Whether there is a ``labels_list`` at all. Without it a class is called "LABEL_0", as in
        transformers, and one output may mean a regression or a multiple choice.

    Examples
    --------
    >>> described("glue/sst2", 1, 2, ["negative", "positive"], True).kind
    'classification'
    >>> described("glue/stsb", 6, 1, [], True).kind
    'regression'
    >>> described("swag/regular", 9, 1, [0, 1, 2, 3], True).kind
    'multiple_choice'
    >>> print(described("swag/regular", 9, 1, None, False).kind)
    None
    """
    given = list(labels) if labels_known and labels else []
    names = _told_apart([str(label) for label in given])
    if outputs > 1:
        if not labels_known:
            names = tuple(f"LABEL_{at}" for at in range(outputs))
        tags = {name[:2] for name in names}
        kind = TOKEN_KIND if {"B-", "I-"} <= tags else "classification"
        return AdapterTask(name, index, outputs, kind, names)
    if not labels_known:
        return AdapterTask(name, index, outputs, None)
    if not given:
        return AdapterTask(name, index, outputs, "regression")
    choice = all(type(label) is int for label in given)
    return AdapterTask(name, index, outputs, "multiple_choice" if choice else None)


def _told_apart(names: list[str]) -> tuple[str, ...]:
    """Names of classes; those that are blank or given twice with their number."""
    return tuple(
        name if name.strip() and names.count(name) == 1 else f"{name} ({at})".lstrip()
        for at, name in enumerate(names)
    )


def head_result(head: AdapterTask, logits: Logits) -> pa.StructArray:
    """Structs of ``RANKED`` from a head's logits [rows, outputs]."""
    if head.kind == "classification":
        return ranked(head.labels, softmax(logits))
    columns = [pa.nulls(len(logits), field.type) for field in RANKED]
    columns[1] = pa.array(logits[:, 0].astype(np.float64))
    return pa.StructArray.from_arrays(columns, fields=list(RANKED))
