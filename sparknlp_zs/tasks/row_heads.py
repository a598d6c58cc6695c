"""Task heads on columns of choices, and heads that differ by row."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from sparknlp_zs.tasks.base import ClassIds, Logits, Pair, Row, is_text, softmax
from sparknlp_zs.tasks.heads import (
    CHOICES,
    TEXT,
    AdapterTask,
    TaskHead,
    find_task,
    head_result,
    read_head,
)
from sparknlp_zs.tasks.ranked import RANKED


@dataclass(frozen=True)
class ChoiceTask:
    """A multiple-choice head on (text, choices) columns, the choices an array for each row.

    Each (text, choice) pair is scored; the softmax over a row's pairs gives the probabilities.
    Null where the text or any of the choices is null, empty or blank, or there are none.

    Parameters
    ----------
    head : AdapterTask

    Examples
    --------
    >>> task = ChoiceTask(AdapterTask("swag", 0, 1, "multiple_choice"))
    >>> task.pairs(("He sat", ("down", "red")))
    [('He sat', 'down', 0), ('He sat', 'red', 0)]
    """

    head: AdapterTask

    kind: ClassVar[str] = "choice_head"
    columns: ClassVar[tuple[str, ...]] = CHOICES

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", read_head(self.head))

    @property
    def outputs(self) -> int:
        """How many of the network's outputs are this task's."""
        return 1

    @property
    def result_type(self) -> pa.StructType:
        """``struct<label, score, labels, scores>``: the best choice, its probability, and all."""
        return RANKED

    def admits(self, column: str, value: Any) -> bool:
        """Texts that are not blank, and arrays of such texts.

        Raises
        ------
        TypeError
            If a value is of another type.
        """
        return _admits(column, value)

    def pairs(self, row: Row) -> list[Pair]:
        """(text, choice, head) for each of the row's choices, in their order."""
        return _pairs(row[0], row[1], self.head)

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [choices of all rows, 1]."""
        return _choice_result([row[1] for row in rows], logits)

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        return json.dumps({"kind": self.kind, "head": asdict(self.head)})


@dataclass(frozen=True)
class RowTasks:
    """Task heads by name, a name for each row; rows of different tasks share batches.

    Null where a text or the name is null, empty or blank. A task that the adapter lacks, or that
    needs other columns, is an error.

    Parameters
    ----------
    inputs : tuple of str
        ``("text",)``, ``("text", "text_pair")`` or ``("text", "choices")``: the columns before
        that of names.
    heads : tuple of AdapterTask
        The tasks to choose from; the scorer fills in those of its adapter.

    Examples
    --------
    >>> sst2 = AdapterTask("glue/sst2", 1, 2, "classification", ("negative", "positive"))
    >>> RowTasks(heads=(sst2,)).pairs(("a fine film", "glue/sst2"))
    [('a fine film', '', 1)]
    """

    inputs: tuple[str, ...] = TEXT
    heads: tuple[AdapterTask, ...] = ()

    kind: ClassVar[str] = "row_heads"

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "heads", tuple(read_head(head) for head in self.heads))

    def of(self, heads: tuple[AdapterTask, ...]) -> RowTasks:
        """The same task with these heads to choose from."""
        return replace(self, heads=heads)

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.inputs, "task")

    @property
    def outputs(self) -> int:
        """How many of the network's outputs the widest head has."""
        return max((head.outputs for head in self.heads), default=1)

    @property
    def result_type(self) -> pa.StructType:
        """``struct<label, score, labels, scores>``, as from ``HeadTask``."""
        return RANKED

    def admits(self, column: str, value: Any) -> bool:
        """As ``ChoiceTask``, and names of tasks.

        Raises
        ------
        TypeError
            If a value is of another type.
        ValueError
            If there is no such task, or it needs other columns.
        """
        return _admits(column, value) and (column != "task" or bool(self._head(value)))

    def pairs(self, row: Row) -> list[Pair]:
        """(text, second text or "", head), or one such pair for each choice."""
        head = self._head(row[-1])
        if self.inputs == CHOICES:
            return _pairs(row[0], row[1], head)
        return [(row[0], "" if self.inputs == TEXT else row[1], head.index)]

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [pairs, outputs]."""
        if self.inputs == CHOICES:
            return _choice_result([row[1] for row in rows], logits)
        rows_of: dict[str, list[int]] = {}
        for at, row in enumerate(rows):
            rows_of.setdefault(row[-1], []).append(at)
        parts = [pa.array([], RANKED)]
        for name, members in rows_of.items():
            head = self._head(name)
            parts.append(head_result(head, logits[members, : head.outputs]))
        order = np.argsort([at for members in rows_of.values() for at in members])
        return pa.concat_arrays(parts).take(pa.array(order, pa.int64()))

    def _head(self, name: str) -> AdapterTask:
        if name not in self._resolved:
            found = find_task(self.heads, name)
            # The columns tell what an adapter may not: a head of one output is of one kind each.
            kind = "multiple_choice" if self.inputs == CHOICES else "regression"
            head = TaskHead(name, kind if found.kind is None else None, self.inputs)
            self._resolved[name] = head.resolve(found)
        return self._resolved[name]

    @cached_property
    def _resolved(self) -> dict[str, AdapterTask]:
        return {}

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        return json.dumps({"kind": self.kind, **asdict(self)})


def _admits(column: str, value: Any) -> bool:
    if column != "choices":
        return is_text(column, value)
    if not isinstance(value, tuple):
        raise TypeError(f"choices={value!r}: pass arrays of strings")
    known = [choice for choice in value if choice is not None]
    for choice in known:
        if not isinstance(choice, str):
            raise TypeError(f"choices={choice!r}: pass arrays of strings")
    return bool(value) and len(known) == len(value) and all(choice.strip() for choice in known)


def _pairs(text: str, choices: Sequence[str], head: AdapterTask) -> list[Pair]:
    return [(text, choice, head.index) for choice in choices]


def _choice_result(choices_of: Sequence[Sequence[str]], logits: Logits) -> pa.StructArray:
    """Structs of ``RANKED`` from logits [choices of all rows, outputs]."""
    ends = itertools.accumulate((len(choices) for choices in choices_of), initial=0)
    found = [
        _ranked_choices(choices, logits[start:end, 0])
        for choices, (start, end) in zip(choices_of, itertools.pairwise(ends), strict=True)
    ]
    return pa.array(found, RANKED)


def _ranked_choices(choices: Sequence[str], logits: Logits) -> dict[str, object]:
    scores = softmax(logits)
    order = np.argsort(-scores, kind="stable")
    labels = [choices[at] for at in order]
    ranked = scores[order].tolist()
    return {"label": labels[0], "score": ranked[0], "labels": labels, "scores": ranked}
