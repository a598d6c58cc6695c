"""The tasks that the arguments of ``classify`` and ``scores`` ask for, on every surface."""

from __future__ import annotations

from typing import Any, TypeAlias

from sparknlp_zs.tasks.checks import Labels, checked_flag
from sparknlp_zs.tasks.hierarchy import Hierarchy, HierarchyScores
from sparknlp_zs.tasks.label_tree import NestedLabels, is_nested
from sparknlp_zs.tasks.long_text import TRUNCATE
from sparknlp_zs.tasks.row_labels import RowLabels
from sparknlp_zs.tasks.zero_shot import ZeroShot, ZeroShotScores

FLAT_ONLY = frozenset({"long_text", "prefilter"})
LabelsOrTask: TypeAlias = Labels | NestedLabels | ZeroShot | Hierarchy


def classify_task(labels: LabelsOrTask, **options: Any) -> ZeroShot | Hierarchy:
    """The task whose result has the best label.

    Parameters
    ----------
    labels : labels, nested labels, ZeroShot or Hierarchy
        Labels as ``ZeroShot`` or ``Hierarchy`` takes them, or such a task, which has all its
        options already.
    **options
        Arguments of the task by name; None where the caller gave none.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or given beside a task.

    Examples
    --------
    >>> classify_task(["travel"], hypothesis_template=None, multi_label=True).multi_label
    True
    >>> classify_task(ZeroShotScores(["travel"], "{}!")).hypotheses
    ('travel!',)
    >>> classify_task({"billing": ["refund", "fee"], "other": []}).labels
    ('billing > refund', 'billing > fee', 'other')
    """
    task = _task(labels, options)
    if isinstance(task, Hierarchy):
        return task if type(task) is Hierarchy else Hierarchy(**task.arguments())
    return task if type(task) is ZeroShot else ZeroShot(**task.arguments())


def scores_task(labels: LabelsOrTask, **options: Any) -> ZeroShotScores | HierarchyScores:
    """The task whose result has a field for each label; arguments are those of ``classify_task``.

    Examples
    --------
    >>> scores_task(ZeroShot(["travel"], multi_label=True)) == ZeroShotScores(
    ...     ["travel"], multi_label=True
    ... )
    True
    """
    task = _task(labels, options)
    if isinstance(task, ZeroShotScores | HierarchyScores):
        return task
    kind = HierarchyScores if isinstance(task, Hierarchy) else ZeroShotScores
    return kind(**task.arguments())


def row_labels_task(
    *, prefilter: int | None, multi_label: bool | None, **options: Any
) -> tuple[RowLabels, bool]:
    """The task of labels that differ by row, and its column of ``multi_label``, one for all.

    Options are those of ``classify_task``.

    Raises
    ------
    TypeError, ValueError
        If an option is wrong, or not one of such labels.

    Examples
    --------
    >>> row_labels_task(prefilter=None, multi_label=None, hypothesis_template="{}!", threshold=None)
    (RowLabels(hypothesis_template='{}!', threshold=0.0, long_text='truncate'), False)
    """
    if prefilter is not None:
        raise ValueError(
            f"prefilter={prefilter!r}: chooses among labels that all rows share, and these differ "
            "by row; pass a list of labels, or leave prefilter out"
        )
    flag = checked_flag("multi_label", False if multi_label is None else multi_label)
    return RowLabels(**given(**options)), flag


def given(**options: Any) -> dict[str, Any]:
    """The options that the caller gave: those that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def _task(labels: LabelsOrTask, options: dict[str, Any]) -> ZeroShot | Hierarchy:
    options = given(**options)
    nested = is_nested(labels)
    if nested and options.get("long_text") == TRUNCATE:
        del options["long_text"]  # what they do anyway
    if isinstance(labels, Hierarchy) or nested:
        _refuse_flat_only(options)
    if isinstance(labels, ZeroShot | Hierarchy):
        for name, value in options.items():
            raise ValueError(
                f"{name}={value!r}: labels is a task, which has its own; give it to the task: "
                f"{type(labels).__name__}(..., {name}={value!r})"
            )
        return labels
    if not nested:
        return ZeroShot(labels, **options)  # type: ignore[arg-type]  # it checks them
    options.pop("multi_label", None)
    return Hierarchy(labels, **options)  # type: ignore[arg-type]


def _refuse_flat_only(options: dict[str, Any]) -> None:
    for name in FLAT_ONLY & options.keys():
        raise ValueError(
            f"{name}={options[name]!r}: not for labels with children; pass a list of labels"
        )
    if options.get("multi_label"):
        raise ValueError(
            "multi_label=True: labels with children are chosen level by level, one of siblings; "
            "pass the children as a list for scores of their own"
        )
