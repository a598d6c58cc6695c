"""Params of the fine-tuning Estimator: one mixin for each."""

# ruff: noqa: N802, N815 - Spark ML's names are in camelCase.

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

from pyspark.ml.param import Param, Params, TypeConverters

from sparknlp_zs.model_files import refuse_uri
from sparknlp_zs.spark.params import HasLabels, to_labels
from sparknlp_zs.training.settings import STYLES

if TYPE_CHECKING:
    from typing import Self


def _to_style(value: str) -> str:
    if value not in STYLES:
        raise ValueError(f"style={value!r}: use one of {list(STYLES)}")
    return value


def _to_path(value: str | os.PathLike[str]) -> str:
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value).strip():
        raise TypeError(f"outputPath={value!r}: pass a folder")
    refuse_uri("outputPath", value)
    return os.fspath(value)


def _to_count(value: Any) -> int:
    count: int = TypeConverters.toInt(value)
    if count < 1:
        raise ValueError(f"numProcesses={value!r}: give at least 1")
    return count


def _to_part(value: Any) -> float:
    part: float = TypeConverters.toFloat(value)
    if not 0 < part < 1:
        raise ValueError(f"validation={value!r}: give a part between 0 and 1")
    return part


def _to_trained_labels(value: Any) -> list[str] | list[int] | dict[str, str]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return to_labels(value)  # type: ignore[arg-type]  # it checks them
    found = list(value)
    if not found or not all(isinstance(x, Integral) and not isinstance(x, bool) for x in found):
        return to_labels(found)
    if len(set(found)) < len(found):
        raise ValueError(f"labels={found}: some given more than once; remove the duplicates")
    return [int(x) for x in found]


class HasTrainedLabels(HasLabels):
    """The Param ``labels`` of a training: for the style "head" they may be integers."""

    labels: Param[Any] = Param(
        Params._dummy(),
        "labels",
        "all labels: a list of strings (or of integers, for the style head), or a dict with a "
        "description for each.",
        typeConverter=_to_trained_labels,
    )


class HasStyle(Params):
    """The Param ``style``."""

    style: Param[str] = Param(
        Params._dummy(),
        "style",
        "entailment: an NLI model over the labels' hypotheses; head: a classifier.",
        typeConverter=_to_style,
    )

    def getStyle(self) -> str:
        """Get the style of training."""
        return str(self.getOrDefault(self.style))

    def setStyle(self, value: str) -> Self:
        """Set the style of training."""
        self._set(style=value)
        return self


class HasOutputPath(Params):
    """The Param ``outputPath``."""

    outputPath: Param[str] = Param(
        Params._dummy(),
        "outputPath",
        "folder for the model; the driver and all training processes see it.",
        typeConverter=_to_path,
    )

    def getOutputPath(self) -> str:
        """Get the folder for the model."""
        return str(self.getOrDefault(self.outputPath))

    def setOutputPath(self, value: str | os.PathLike[str]) -> Self:
        """Set the folder for the model."""
        self._set(outputPath=value)
        return self


class HasNumProcesses(Params):
    """The Param ``numProcesses``."""

    numProcesses: Param[int] = Param(
        Params._dummy(),
        "numProcesses",
        "training processes; their number does not change the model.",
        typeConverter=_to_count,
    )

    def getNumProcesses(self) -> int:
        """Get the number of training processes."""
        return int(self.getOrDefault(self.numProcesses))

    def setNumProcesses(self, value: int) -> Self:
        """Set the number of training processes."""
        self._set(numProcesses=value)
        return self


class HasLocalMode(Params):
    """The Param ``localMode``."""

    localMode: Param[bool] = Param(
        Params._dummy(),
        "localMode",
        "train on the driver; False: on the executors.",
        typeConverter=TypeConverters.toBoolean,
    )

    def getLocalMode(self) -> bool:
        """Get whether the driver trains, not the executors."""
        return bool(self.getOrDefault(self.localMode))

    def setLocalMode(self, value: bool) -> Self:
        """Set whether the driver trains, not the executors."""
        self._set(localMode=value)
        return self


class HasUseGpu(Params):
    """The Param ``useGpu``."""

    useGpu: Param[bool] = Param(
        Params._dummy(),
        "useGpu",
        "train on GPUs, one for each process.",
        typeConverter=TypeConverters.toBoolean,
    )

    def getUseGpu(self) -> bool:
        """Get whether GPUs are used."""
        return bool(self.getOrDefault(self.useGpu))

    def setUseGpu(self, value: bool) -> Self:
        """Set whether GPUs are used."""
        self._set(useGpu=value)
        return self


class HasValidation(Params):
    """The Param ``validation``."""

    validation: Param[float | None] = Param(
        Params._dummy(),
        "validation",
        "part of each label's rows to choose the best model by.",
        typeConverter=_to_part,
    )

    def getValidation(self) -> float | None:
        """Get the part of the rows that validates."""
        value: float | None = self.getOrDefault(self.validation)
        return value

    def setValidation(self, value: float) -> Self:
        """Set the part of the rows that validates."""
        self._set(validation=value)
        return self


class HasResume(Params):
    """The Param ``resume``."""

    resume: Param[bool] = Param(
        Params._dummy(),
        "resume",
        "go on from the newest checkpoint of the same training.",
        typeConverter=TypeConverters.toBoolean,
    )

    def getResume(self) -> bool:
        """Get whether checkpoints are gone on from."""
        return bool(self.getOrDefault(self.resume))

    def setResume(self, value: bool) -> Self:
        """Set whether checkpoints are gone on from."""
        self._set(resume=value)
        return self


class HasOverwrite(Params):
    """The Param ``overwrite``."""

    overwrite: Param[bool] = Param(
        Params._dummy(),
        "overwrite",
        "replace a fine-tuned model in outputPath.",
        typeConverter=TypeConverters.toBoolean,
    )

    def getOverwrite(self) -> bool:
        """Get whether a fine-tuned model is replaced."""
        return bool(self.getOrDefault(self.overwrite))

    def setOverwrite(self, value: bool) -> Self:
        """Set whether a fine-tuned model is replaced."""
        self._set(overwrite=value)
        return self
