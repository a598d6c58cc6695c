"""WHAT to score: pairs of texts for a model, and the way from its logits to an Arrow result."""

from __future__ import annotations

import json

from sparknlp_zs.tasks.base import ClassIds, Logits, Scores, Task
from sparknlp_zs.tasks.heads import AdapterTask, HeadTask, MixedHeadsTask, PairHeadTask, TaskHead
from sparknlp_zs.tasks.nli import NLI
from sparknlp_zs.tasks.zero_shot import DEFAULT_TEMPLATE, ZeroShot, ZeroShotScores

__all__ = [
    "DEFAULT_TEMPLATE",
    "NLI",
    "AdapterTask",
    "ClassIds",
    "HeadTask",
    "Logits",
    "MixedHeadsTask",
    "PairHeadTask",
    "Scores",
    "Task",
    "TaskHead",
    "ZeroShot",
    "ZeroShotScores",
    "task_from_json",
]


def task_from_json(text: str) -> Task:
    """The task that ``to_json`` wrote.

    Raises
    ------
    ValueError
        If the kind of task is unknown.
    """
    fields = json.loads(text)
    known = (ZeroShot, ZeroShotScores, NLI, HeadTask, PairHeadTask, MixedHeadsTask)
    kinds: dict[str, type] = {x.kind: x for x in known}
    kind = fields.pop("kind", None)
    if kind not in kinds:
        raise ValueError(f"kind={kind!r}: unknown task; known are {sorted(kinds)}")
    task: Task = kinds[kind](**fields)
    return task
