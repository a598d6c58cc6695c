"""The tasks that the arguments of ``classify`` and ``scores`` ask for, on every surface."""

from __future__ import annotations

from typing import Any

from sparknlp_zs.tasks.zero_shot import Labels, ZeroShot, ZeroShotScores


def classify_task(labels: Labels | ZeroShot, **options: Any) -> ZeroShot:
    """The task whose result has the best label.

    Parameters
    ----------
    labels : labels or ZeroShot
        Labels as ``ZeroShot`` takes them, or a task, which has all its options already.
    **options
        Arguments of ``ZeroShot`` by name; None where the caller gave none.

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
    """
    task = _task(labels, options)
    return task if type(task) is ZeroShot else ZeroShot(**task.arguments())


def scores_task(labels: Labels | ZeroShot, **options: Any) -> ZeroShotScores:
    """The task whose result has a field for each label; arguments are those of ``classify_task``.

    Examples
    --------
    >>> scores_task(ZeroShot(["travel"], multi_label=True)) == ZeroShotScores(
    ...     ["travel"], multi_label=True
    ... )
    True
    """
    task = _task(labels, options)
    return task if isinstance(task, ZeroShotScores) else ZeroShotScores(**task.arguments())


def _task(labels: Labels | ZeroShot, options: dict[str, Any]) -> ZeroShot:
    given = {name: value for name, value in options.items() if value is not None}
    if not isinstance(labels, ZeroShot):
        return ZeroShot(labels, **given)
    if given:
        (name, value), *_ = given.items()
        raise ValueError(
            f"{name}={value!r}: labels is a task, which has its own; give it to the task: "
            f"{type(labels).__name__}(..., {name}={value!r})"
        )
    return labels
