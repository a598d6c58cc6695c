"""Params of the fine-tuning Estimator that are fields of FinetuneSettings: one mixin for each."""

# ruff: noqa: N802, N815 - Spark ML's names are in camelCase.

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyspark.ml.param import Param, Params, TypeConverters

from sparknlp_zs.training.settings import FinetuneSettings

if TYPE_CHECKING:
    from typing import Self


def _setting(name: str, convert: Any) -> Any:
    """A converter that checks a value as ``FinetuneSettings`` does."""

    def converted(value: Any) -> Any:
        return getattr(replace(FinetuneSettings(), **{name: convert(value)}), name)

    return converted


class HasEpochs(Params):
    """The Param ``epochs``."""

    epochs: Param[float | None] = Param(
        Params._dummy(),
        "epochs",
        "passes over the training rows; None: by the style, at least 40 steps.",
        typeConverter=_setting("epochs", TypeConverters.toFloat),
    )

    def getEpochs(self) -> float | None:
        """Get the passes over the training rows."""
        value: float | None = self.getOrDefault(self.epochs)
        return value

    def setEpochs(self, value: float) -> Self:
        """Set the passes over the training rows."""
        self._set(epochs=value)
        return self


class HasMaxSteps(Params):
    """The Param ``maxSteps``."""

    maxSteps: Param[int | None] = Param(
        Params._dummy(),
        "maxSteps",
        "optimizer steps; given, epochs has no say.",
        typeConverter=_setting("max_steps", TypeConverters.toInt),
    )

    def getMaxSteps(self) -> int | None:
        """Get the optimizer steps."""
        value: int | None = self.getOrDefault(self.maxSteps)
        return value

    def setMaxSteps(self, value: int) -> Self:
        """Set the optimizer steps."""
        self._set(maxSteps=value)
        return self


class HasBatchSize(Params):
    """The Param ``batchSize``."""

    batchSize: Param[int] = Param(
        Params._dummy(),
        "batchSize",
        "texts per optimizer step, over all processes.",
        typeConverter=_setting("batch_size", TypeConverters.toInt),
    )

    def getBatchSize(self) -> int:
        """Get the texts per optimizer step."""
        return int(self.getOrDefault(self.batchSize))

    def setBatchSize(self, value: int) -> Self:
        """Set the texts per optimizer step."""
        self._set(batchSize=value)
        return self


class HasLearningRate(Params):
    """The Param ``learningRate``."""

    learningRate: Param[float | None] = Param(
        Params._dummy(),
        "learningRate",
        "peak learning rate; None: by the style.",
        typeConverter=_setting("learning_rate", TypeConverters.toFloat),
    )

    def getLearningRate(self) -> float | None:
        """Get the peak learning rate."""
        value: float | None = self.getOrDefault(self.learningRate)
        return value

    def setLearningRate(self, value: float) -> Self:
        """Set the peak learning rate."""
        self._set(learningRate=value)
        return self


class HasNegatives(Params):
    """The Param ``negatives``."""

    negatives: Param[int] = Param(
        Params._dummy(),
        "negatives",
        "wrong labels beside the true one of each text, at most.",
        typeConverter=_setting("negatives", TypeConverters.toInt),
    )

    def getNegatives(self) -> int:
        """Get the wrong labels per text."""
        return int(self.getOrDefault(self.negatives))

    def setNegatives(self, value: int) -> Self:
        """Set the wrong labels per text."""
        self._set(negatives=value)
        return self


class HasMaxLength(Params):
    """The Param ``maxLength``."""

    maxLength: Param[int] = Param(
        Params._dummy(),
        "maxLength",
        "longest input of the training, in tokens.",
        typeConverter=_setting("max_length", TypeConverters.toInt),
    )

    def getMaxLength(self) -> int:
        """Get the longest input of the training."""
        return int(self.getOrDefault(self.maxLength))

    def setMaxLength(self, value: int) -> Self:
        """Set the longest input of the training."""
        self._set(maxLength=value)
        return self


class HasTokensPerBatch(Params):
    """The Param ``tokensPerBatch``."""

    tokensPerBatch: Param[int] = Param(
        Params._dummy(),
        "tokensPerBatch",
        "bound of the tokens in one forward pass of the training.",
        typeConverter=_setting("tokens_per_batch", TypeConverters.toInt),
    )

    def getTokensPerBatch(self) -> int:
        """Get the bound of tokens in one forward pass."""
        return int(self.getOrDefault(self.tokensPerBatch))

    def setTokensPerBatch(self, value: int) -> Self:
        """Set the bound of tokens in one forward pass."""
        self._set(tokensPerBatch=value)
        return self


class HasEvaluationSteps(Params):
    """The Param ``evaluationSteps``."""

    evaluationSteps: Param[int | None] = Param(
        Params._dummy(),
        "evaluationSteps",
        "steps between checkpoints, and evaluations; None: an epoch, at least 50.",
        typeConverter=_setting("evaluation_steps", TypeConverters.toInt),
    )

    def getEvaluationSteps(self) -> int | None:
        """Get the steps between evaluations."""
        value: int | None = self.getOrDefault(self.evaluationSteps)
        return value

    def setEvaluationSteps(self, value: int) -> Self:
        """Set the steps between evaluations."""
        self._set(evaluationSteps=value)
        return self


class HasPatience(Params):
    """The Param ``patience``."""

    patience: Param[int | None] = Param(
        Params._dummy(),
        "patience",
        "stop after so many evaluations without a better one.",
        typeConverter=_setting("patience", TypeConverters.toInt),
    )

    def getPatience(self) -> int | None:
        """Get the evaluations without a better one that end the training."""
        value: int | None = self.getOrDefault(self.patience)
        return value

    def setPatience(self, value: int) -> Self:
        """Set the evaluations without a better one that end the training."""
        self._set(patience=value)
        return self


class HasMonitor(Params):
    """The Param ``monitor``."""

    monitor: Param[str] = Param(
        Params._dummy(),
        "monitor",
        'loss or accuracy: what "better" means on the validation rows.',
        typeConverter=_setting("monitor", TypeConverters.toString),
    )

    def getMonitor(self) -> str:
        """Get what is better on the validation rows."""
        return str(self.getOrDefault(self.monitor))

    def setMonitor(self, value: str) -> Self:
        """Set what is better on the validation rows."""
        self._set(monitor=value)
        return self


class HasBf16(Params):
    """The Param ``bf16``."""

    bf16: Param[bool] = Param(
        Params._dummy(),
        "bf16",
        "train with bfloat16 autocast.",
        typeConverter=_setting("bf16", TypeConverters.toBoolean),
    )

    def getBf16(self) -> bool:
        """Get whether training uses bfloat16 autocast."""
        return bool(self.getOrDefault(self.bf16))

    def setBf16(self, value: bool) -> Self:
        """Set whether training uses bfloat16 autocast."""
        self._set(bf16=value)
        return self
