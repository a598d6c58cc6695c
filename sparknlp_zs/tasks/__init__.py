"""WHAT to score: pairs of texts for a model, and the way from its logits to an Arrow result."""

from __future__ import annotations

import json

from sparknlp_zs.tasks.annotation import Annotation, NamedTask, merged_tasks
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
    cuts_hypotheses,
    needs_embedder,
    steps_of,
)
from sparknlp_zs.tasks.checks import DEFAULT_TEMPLATE
from sparknlp_zs.tasks.classifier import Classifier, ClassifierScores
from sparknlp_zs.tasks.heads import AdapterTask, HeadTask, PairHeadTask, TaskHead
from sparknlp_zs.tasks.hierarchy import Hierarchy, HierarchyScores
from sparknlp_zs.tasks.long_text import TRUNCATE, Chunks, LongText
from sparknlp_zs.tasks.nli import NLI
from sparknlp_zs.tasks.row_heads import ChoiceTask, RowTasks
from sparknlp_zs.tasks.row_labels import RowLabels, RowLabelScores
from sparknlp_zs.tasks.zero_shot import ZeroShot, ZeroShotScores

__all__ = [
    "DEFAULT_TEMPLATE",
    "NLI",
    "TRUNCATE",
    "AdapterTask",
    "Annotation",
    "ChoiceTask",
    "Chunks",
    "ClassIds",
    "Classifier",
    "ClassifierScores",
    "FixedTask",
    "HeadTask",
    "Hierarchy",
    "HierarchyScores",
    "Logits",
    "LongText",
    "NamedTask",
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
    "cuts_hypotheses",
    "merged_tasks",
    "needs_embedder",
    "steps_of",
    "task_from_json",
]

_KINDS: tuple[type, ...] = (
    ZeroShot,
    ZeroShotScores,
    Hierarchy,
    HierarchyScores,
    NLI,
    RowLabels,
    RowLabelScores,
    HeadTask,
    PairHeadTask,
    ChoiceTask,
    RowTasks,
    Classifier,
    ClassifierScores,
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
