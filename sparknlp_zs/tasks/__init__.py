"""WHAT to score: pairs of texts for a model, and the way from its logits to an Arrow result."""

from __future__ import annotations

import json

from sparknlp_zs.tasks.annotation import Annotation, named_tasks
from sparknlp_zs.tasks.base import (
    ClassIds,
    FixedTask,
    Logits,
    Pair,
    Row,
    Scores,
    Similarity,
    StepwiseTask,
    Task,
    needs_embedder,
)
from sparknlp_zs.tasks.heads import AdapterTask, HeadTask, PairHeadTask, TaskHead
from sparknlp_zs.tasks.nli import NLI
from sparknlp_zs.tasks.row_heads import ChoiceTask, RowTasks
from sparknlp_zs.tasks.row_labels import RowLabels, RowLabelScores
from sparknlp_zs.tasks.zero_shot import DEFAULT_TEMPLATE, ZeroShot, ZeroShotScores

__all__ = [
    "DEFAULT_TEMPLATE",
    "NLI",
    "AdapterTask",
    "Annotation",
    "ChoiceTask",
    "ClassIds",
    "FixedTask",
    "HeadTask",
    "Logits",
    "Pair",
    "PairHeadTask",
    "Row",
    "RowLabelScores",
    "RowLabels",
    "RowTasks",
    "Scores",
    "Similarity",
    "StepwiseTask",
    "Task",
    "TaskHead",
    "ZeroShot",
    "ZeroShotScores",
    "named_tasks",
    "needs_embedder",
    "task_from_json",
]

_KINDS: tuple[type, ...] = (
    ZeroShot,
    ZeroShotScores,
    NLI,
    RowLabels,
    RowLabelScores,
    HeadTask,
    PairHeadTask,
    ChoiceTask,
    RowTasks,
)


def task_from_json(text: str) -> Task:
    """The task that ``to_json`` wrote.

    Raises
    ------
    ValueError
        If the kind of task is unknown.
    """
    fields = json.loads(text)
    kinds: dict[str, type] = {x.kind: x for x in _KINDS}  # type: ignore[attr-defined]
    kind = fields.pop("kind", None)
    if kind == Annotation.kind:
        parts = {name: task_from_json(json.dumps(part)) for name, part in fields["tasks"].items()}
        return Annotation(parts)  # type: ignore[arg-type]  # it checks them
    if kind not in kinds:
        known = sorted([*kinds, Annotation.kind])
        raise ValueError(f"kind={kind!r}: unknown task; known are {known}")
    task: Task = kinds[kind](**fields)
    return task
