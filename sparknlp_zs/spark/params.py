"""Params of the Spark ML stages: one mixin for each."""

# ruff: noqa: N802, N815 - Spark ML's names are in camelCase.

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.ml.param import Param, Params, TypeConverters

from sparknlp_zs.models import ModelSpec
from sparknlp_zs.tasks import DEFAULT_TEMPLATE, ZeroShot
from sparknlp_zs.tasks.checks import Labels, checked_template

if TYPE_CHECKING:
    from typing import Self


def to_labels(value: Labels) -> list[str] | dict[str, str]:
    task = ZeroShot(value)
    if isinstance(value, Mapping):
        return dict(zip(task.labels, task.said, strict=True))
    return list(task.labels)


def _to_template(value: str) -> str:
    return checked_template(value)


def _to_model(value: str | os.PathLike[str]) -> str:
    return ModelSpec(os.fspath(value) if isinstance(value, os.PathLike) else value).model


def _to_dtype(value: str) -> str:
    return ModelSpec("any model", dtype=value).dtype


class HasLabels(Params):
    """The Param ``labels``: candidate labels, checked when set."""

    labels: Param[list[str] | dict[str, str]] = Param(
        Params._dummy(),
        "labels",
        "candidate labels: a list of strings, or a dict with a description for each.",
        typeConverter=to_labels,
    )

    def getLabels(self) -> list[str]:
        """The candidate labels."""
        return list(self.getOrDefault(self.labels))

    def setLabels(self, value: Labels) -> Self:
        """Set the candidate labels: a list, or a dict with a description for each."""
        self._set(labels=value)
        return self


class HasHypothesisTemplate(Params):
    """The Param ``hypothesisTemplate``."""

    hypothesisTemplate: Param[str] = Param(
        Params._dummy(),
        "hypothesisTemplate",
        "sentence with {} where the label goes.",
        typeConverter=_to_template,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(hypothesisTemplate=DEFAULT_TEMPLATE)

    def getHypothesisTemplate(self) -> str:
        """The sentence with ``{}`` where the label goes."""
        return str(self.getOrDefault(self.hypothesisTemplate))

    def setHypothesisTemplate(self, value: str) -> Self:
        """Set the sentence with ``{}`` where the label goes."""
        self._set(hypothesisTemplate=value)
        return self


class HasMultiLabel(Params):
    """The Param ``multiLabel``."""

    multiLabel: Param[bool] = Param(
        Params._dummy(),
        "multiLabel",
        "score each label by itself; False: the scores of a row sum to 1.",
        typeConverter=TypeConverters.toBoolean,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(multiLabel=False)

    def getMultiLabel(self) -> bool:
        """Whether each label is scored by itself."""
        return bool(self.getOrDefault(self.multiLabel))

    def setMultiLabel(self, value: bool) -> Self:
        """Set whether each label is scored by itself."""
        self._set(multiLabel=value)
        return self


class HasPredictedLabelCol(Params):
    """The Param ``predictedLabelCol``."""

    predictedLabelCol: Param[str] = Param(
        Params._dummy(),
        "predictedLabelCol",
        "name of a string column with the best label; '' for no such column.",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(predictedLabelCol="")

    def getPredictedLabelCol(self) -> str:
        """The name of the column with the best label; ``""`` if there is none."""
        return str(self.getOrDefault(self.predictedLabelCol))

    def setPredictedLabelCol(self, value: str) -> Self:
        """Set the name of the column with the best label."""
        self._set(predictedLabelCol=value)
        return self


class HasPremiseCol(Params):
    """The Param ``premiseCol``."""

    premiseCol: Param[str] = Param(
        Params._dummy(),
        "premiseCol",
        "name of the column with the premises.",
        typeConverter=TypeConverters.toString,
    )

    def getPremiseCol(self) -> str:
        """The name of the column with the premises."""
        return str(self.getOrDefault(self.premiseCol))

    def setPremiseCol(self, value: str) -> Self:
        """Set the name of the column with the premises."""
        self._set(premiseCol=value)
        return self


class HasHypothesisCol(Params):
    """The Param ``hypothesisCol``."""

    hypothesisCol: Param[str] = Param(
        Params._dummy(),
        "hypothesisCol",
        "name of the column with the hypotheses.",
        typeConverter=TypeConverters.toString,
    )

    def getHypothesisCol(self) -> str:
        """The name of the column with the hypotheses."""
        return str(self.getOrDefault(self.hypothesisCol))

    def setHypothesisCol(self, value: str) -> Self:
        """Set the name of the column with the hypotheses."""
        self._set(hypothesisCol=value)
        return self


class HasModel(Params):
    """The Param ``model``: a name, so that a saved stage holds no weights."""

    model: Param[str] = Param(
        Params._dummy(),
        "model",
        "folder, hub id or 'starter'; None: SPARKNLP_ZS_MODEL, else the seed model.",
        typeConverter=_to_model,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(model=None)

    def getModel(self) -> str | None:
        """The model's folder or name; None is the default model."""
        value: str | None = self.getOrDefault(self.model)
        return value

    def setModel(self, value: str | os.PathLike[str]) -> Self:
        """Set the model's folder or name."""
        self._set(model=value)
        return self


class HasDtype(Params):
    """The Param ``dtype``."""

    dtype: Param[str] = Param(
        Params._dummy(),
        "dtype",
        "compute type of the weights: float32, bfloat16 or float16.",
        typeConverter=_to_dtype,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(dtype="float32")

    def getDtype(self) -> str:
        """The compute type of the weights."""
        return str(self.getOrDefault(self.dtype))

    def setDtype(self, value: str) -> Self:
        """Set the compute type of the weights."""
        self._set(dtype=value)
        return self
