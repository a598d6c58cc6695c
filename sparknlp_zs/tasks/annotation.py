"""Several tasks over one text, scored together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pyarrow as pa

from sparknlp_zs.tasks.base import (
    ClassIds,
    FixedTask,
    Logits,
    Pair,
    Row,
    Steps,
    TextTask,
    by_row,
    needs_embedder,
    steps_of,
)
from sparknlp_zs.tasks.classifier import Classifier
from sparknlp_zs.tasks.heads import HeadTask, TaskHead
from sparknlp_zs.tasks.together import together

NamedTask: TypeAlias = "FixedTask | TaskHead"  # what a surface takes under a name


@dataclass(frozen=True)
class Annotation(TextTask):
    """Several tasks over one text column: a struct with the result of each.

    Every text is tokenised once, pairs that tasks have in common are scored once, and the pairs
    of all tasks are batched together; those of task heads, which are encoded otherwise, by
    themselves. The whole struct is null where the text is null, empty or blank.

    Parameters
    ----------
    tasks : mapping of str to task
        The struct's fields and their tasks, each over one text column. Task heads must have been
        found in the model's adapter, as ``engine.adapters.annotation_with_heads`` does.

    Raises
    ------
    TypeError
        If something is no task, or a task is over other columns than one text.
    ValueError
        If there is no task, or a name is blank.

    Examples
    --------
    >>> from sparknlp_zs.tasks import ZeroShot, task_from_json
    >>> task = Annotation({"topic": ZeroShot(["travel"]), "mood": ZeroShot(["glad", "sad"])})
    >>> [field.name for field in task.result_type]
    ['topic', 'mood']
    >>> task_from_json(task.to_json()) == task
    True
    """

    tasks: tuple[tuple[str, FixedTask], ...]

    kind: ClassVar[str] = "annotation"
    columns: ClassVar[tuple[str, ...]] = ("text",)

    def __init__(self, tasks: Mapping[str, FixedTask]) -> None:
        if not isinstance(tasks, Mapping):
            raise TypeError(f"tasks={tasks!r}: pass a mapping of names to tasks")
        if not tasks:
            raise ValueError("tasks: none given; pass one by name, such as topic=ZeroShot([...])")
        for name, task in tasks.items():
            _check(name, task)
        object.__setattr__(self, "tasks", tuple(tasks.items()))

    @property
    def heads(self) -> dict[str, HeadTask]:
        """The task heads among the tasks."""
        return {name: task for name, task in self.tasks if isinstance(task, HeadTask)}

    @property
    def pairs_per_row(self) -> int:
        return sum(task.pairs_per_row for _, task in self.tasks)

    @property
    def result_type(self) -> pa.StructType:
        """A struct with one field per task, of its ``result_type``."""
        return pa.struct([(name, task.result_type) for name, task in self.tasks])

    def pairs(self, row: Row) -> list[Pair]:
        """The pairs of the first task, then of the second, and so on."""
        return [pair for _, task in self.tasks for pair in task.pairs(row)]

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """What ``steps`` returns, from logits of all pairs [rows x pairs, classes]."""
        grouped = by_row(logits, len(rows), self.pairs_per_row)
        ends = np.cumsum([task.pairs_per_row for _, task in self.tasks])
        parts = np.split(grouped, ends[:-1], axis=1)
        columns = [
            task.result(rows, part.reshape(-1, logits.shape[-1]), classes)
            for (_, task), part in zip(self.tasks, parts, strict=True)
        ]
        return pa.StructArray.from_arrays(columns, fields=list(self.result_type))

    @property
    def needs_embedder(self) -> bool:
        """Whether one of the tasks compares texts and labels by their meaning."""
        return any(needs_embedder(task) for _, task in self.tasks)

    def steps(self, rows: Sequence[Row], classes: ClassIds) -> Steps:
        """All tasks' steps; the pairs that they ask for at a time are scored together."""
        parts = [steps_of(task, rows, classes) for _, task in self.tasks]
        columns = yield from together(parts, len(rows))
        return pa.StructArray.from_arrays(columns, fields=list(self.result_type))

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        tasks = {name: json.loads(task.to_json()) for name, task in self.tasks}
        return json.dumps({"kind": self.kind, "tasks": tasks})


def merged_tasks(
    tasks: Mapping[str, NamedTask] | None, named: Mapping[str, NamedTask]
) -> dict[str, NamedTask]:
    """The tasks of a mapping and of keyword arguments, which are checked later.

    Raises
    ------
    TypeError, ValueError
        If the first is no mapping, or a name is given twice.
    """
    if tasks is not None and not isinstance(tasks, Mapping):
        raise TypeError(f"tasks={tasks!r}: pass tasks by name, such as topic=ZeroShot([...])")
    twice = sorted(set(tasks or {}) & set(named))
    if twice:
        raise ValueError(f"tasks: {twice} given twice; give every task a name of its own")
    return {**(tasks or {}), **named}


def _check(name: Any, task: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"tasks: the name {name!r} is no string")
    if not name.strip():
        raise ValueError(f"tasks: the name {name!r} is blank; give every task a name")
    columns = getattr(task, "columns", None)
    if not isinstance(columns, tuple) or isinstance(task, type):
        raise TypeError(f"{name}={task!r}: pass a task, such as ZeroShot(['travel', 'cooking'])")
    if isinstance(task, Classifier):
        raise TypeError(f"{name}={task!r}: a classifier has a model of its own; use predict()")
    if isinstance(task, TaskHead):
        raise TypeError(f"{name}={task!r}: find it in the model's adapter first, by resolve_head()")
    if columns != ("text",):
        raise TypeError(
            f"{name}={task!r}: takes {', '.join(columns)}; a task over one text column is needed, "
            "such as ZeroShot(['travel', 'cooking'])"
        )
    if isinstance(task, Annotation):
        raise TypeError(f"{name}={task!r}: an annotation in another; pass its tasks by themselves")
