"""The Params of a zero-shot task: its labels, template and mode, or the whole task."""

# ruff: noqa: N802 - Spark ML's names are in camelCase.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.ml.param import Param, Params

from sparknlp_zs.spark.params import HasHypothesisTemplate, HasLabels, HasMultiLabel
from sparknlp_zs.tasks import ZeroShot, ZeroShotScores, task_from_json

if TYPE_CHECKING:
    from typing import Self

# What a task says itself; in the order of ZeroShot's arguments.
_PARTS = ("labels", "hypothesisTemplate", "multiLabel")


def _to_json(value: ZeroShot | str) -> str:
    """The JSON of a task, or of its JSON, which a saved stage holds."""
    remedy = "pass a task, such as ZeroShot(['travel', 'cooking'])"
    try:
        task = task_from_json(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"task={value!r}: {error}; {remedy}") from error
    if isinstance(task, ZeroShotScores) or not isinstance(task, ZeroShot):
        raise TypeError(f"task={value!r}: {remedy}")
    return task.to_json()


class HasZeroShotTask(HasLabels, HasHypothesisTemplate, HasMultiLabel):
    """The Param ``task``, in place of ``labels``, ``hypothesisTemplate`` and ``multiLabel``.

    It holds the task's JSON, so that a saved stage has all that the task has.

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> task = zs.ZeroShot({"refund": "about money paid back", "card": "about a bank card"})
    >>> zs.ZeroShotClassifier(inputCol="text", task=task).getLabels()
    ['refund', 'card']
    """

    task: Param[str | None] = Param(
        Params._dummy(),
        "task",
        "JSON of a ZeroShot task, in place of labels, hypothesisTemplate and multiLabel.",
        typeConverter=_to_json,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(task=None)

    def getTask(self) -> ZeroShot | None:
        """The task, if one was given in place of labels."""
        value = self.getOrDefault(self.task)
        if value is None:
            return None
        task = task_from_json(value)
        assert isinstance(task, ZeroShot)  # the Param holds no other
        return task

    def setTask(self, value: ZeroShot) -> Self:
        """Set the task; the stage must have no labels, template or mode of its own."""
        self._set(task=value)
        return self

    def getLabels(self) -> list[str]:
        """The candidate labels, of the task if there is one."""
        task = self.getTask()
        return super().getLabels() if task is None else list(task.labels)

    def getHypothesisTemplate(self) -> str | list[str]:  # type: ignore[override]
        """The sentence with ``{}`` where the label goes, or several; of the task, if any."""
        task = self.getTask()
        if task is None:
            return super().getHypothesisTemplate()
        template = task.hypothesis_template
        return template if isinstance(template, str) else list(template)

    def getMultiLabel(self) -> bool:
        """Whether each label is scored by itself; of the task if there is one."""
        task = self.getTask()
        return super().getMultiLabel() if task is None else task.multi_label

    def set(self, param: Any, value: Any) -> None:
        """Set a Param; pyspark's own would not come by ``_set``."""
        self._set(**{self._resolveParam(param).name: value})

    def _set(self, **values: Any) -> Self:
        """Set Params; constructors, setters, copies and loaded stages all come here."""
        given = {name for name in ("task", *_PARTS) if self.isSet(name)} - set(values)
        given = {name for name in given if self.getOrDefault(name) is not None}
        given |= {name for name, value in values.items() if value is not None}
        parts = [name for name in _PARTS if name in given]
        if "task" in given and parts:
            raise ValueError(
                f"task, {', '.join(parts)}: a task has these itself; pass either, or clear what "
                "was set, as in stage.clear(stage.labels)"
            )
        super()._set(**values)
        return self

    def _zero_shot(self) -> ZeroShot:
        """The task of the Params.

        Raises
        ------
        ValueError
            If there are neither labels nor a task.
        """
        task = self.getTask()
        if task is not None:
            return task
        if not self.isDefined("labels"):
            raise ValueError("labels: not set; pass labels=... or task=..., or call setLabels(...)")
        labels = self.getOrDefault(self.labels)
        return ZeroShot(labels, self.getHypothesisTemplate(), self.getMultiLabel())
