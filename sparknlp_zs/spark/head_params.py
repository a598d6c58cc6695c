"""Params of the Spark ML stage of task heads: one mixin for each."""

# ruff: noqa: N802, N815 - Spark ML's names are in camelCase.

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyspark.ml.param import Param, Params, TypeConverters

from sparknlp_zs.models import ModelSpec
from sparknlp_zs.tasks import TaskHead

if TYPE_CHECKING:
    from typing import Self


def _to_task(value: str) -> str:
    return TaskHead(value).name


def _to_kind(value: str | None) -> str | None:
    return TaskHead("any task", value).kind


def _to_adapter(value: str | os.PathLike[str] | None) -> str | None:
    found = ModelSpec("any model", adapter=value).adapter
    return None if found is None else os.fspath(found)


class HasTask(Params):
    """The Param ``task``."""

    task: Param[str] = Param(
        Params._dummy(),
        "task",
        "a task of the model's adapter, such as glue/sst2.",
        typeConverter=_to_task,
    )

    def getTask(self) -> str:
        """The task's name."""
        return str(self.getOrDefault(self.task))

    def setTask(self, value: str) -> Self:
        """Set the task's name."""
        self._set(task=value)
        return self


class HasKind(Params):
    """The Param ``kind``."""

    kind: Param[str | None] = Param(
        Params._dummy(),
        "kind",
        "classification, regression or multiple_choice; None: read from the adapter.",
        typeConverter=_to_kind,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(kind=None)

    def getKind(self) -> str | None:
        """The kind of task; None if the adapter tells it."""
        value: str | None = self.getOrDefault(self.kind)
        return value

    def setKind(self, value: str | None) -> Self:
        """Set the kind of task."""
        self._set(kind=value)
        return self


class HasTextPairCol(Params):
    """The Param ``textPairCol``."""

    textPairCol: Param[str] = Param(
        Params._dummy(),
        "textPairCol",
        "name of the column with the second text; '' for single texts.",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(textPairCol="")

    def getTextPairCol(self) -> str:
        """The name of the column with the second text; ``""`` for single texts."""
        return str(self.getOrDefault(self.textPairCol))

    def setTextPairCol(self, value: str) -> Self:
        """Set the name of the column with the second text."""
        self._set(textPairCol=value)
        return self


class HasChoicesCol(Params):
    """The Param ``choicesCol``."""

    choicesCol: Param[str] = Param(
        Params._dummy(),
        "choicesCol",
        "name of a column of arrays of strings, for a multiple-choice task; '' for none.",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(choicesCol="")

    def getChoicesCol(self) -> str:
        """The name of the column of choices; ``""`` if there is none."""
        return str(self.getOrDefault(self.choicesCol))

    def setChoicesCol(self, value: str) -> Self:
        """Set the name of the column of choices."""
        self._set(choicesCol=value)
        return self


class HasAdapter(Params):
    """The Param ``adapter``: a name, as for the model."""

    adapter: Param[str | None] = Param(
        Params._dummy(),
        "adapter",
        "folder or hub id of the model's task heads; None: found by the model's name.",
        typeConverter=_to_adapter,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(adapter=None)

    def getAdapter(self) -> str | None:
        """The adapter's folder or hub id; None: found by the model's name."""
        value: str | None = self.getOrDefault(self.adapter)
        return value

    def setAdapter(self, value: str | os.PathLike[str] | None) -> Self:
        """Set the adapter's folder or hub id."""
        self._set(adapter=value)
        return self
