"""The Spark ML Estimator that fine-tunes."""

# ruff: noqa: N802 - Spark ML's names are in camelCase.

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pyspark.ml import Estimator, Transformer
from pyspark.ml.param.shared import (
    HasLabelCol,
    HasSeed,
    HasValidationIndicatorCol,
)

from sparknlp_zs.spark import finetune_params as own
from sparknlp_zs.spark import finetune_settings as setting
from sparknlp_zs.spark.distributed import Processes, train
from sparknlp_zs.spark.finetune_columns import collected
from sparknlp_zs.spark.modelstage import StageParams
from sparknlp_zs.spark.names import readable
from sparknlp_zs.spark.params import HasHypothesisTemplate
from sparknlp_zs.spark.prediction_stage import PredictionParams
from sparknlp_zs.spark.stages import ZeroShotClassifier
from sparknlp_zs.training.finetuned import Finetuned
from sparknlp_zs.training.job import Job, prepare
from sparknlp_zs.training.settings import FinetuneSettings

if TYPE_CHECKING:
    from typing import Self

    import pandas as pd
    from pyspark.sql import DataFrame


class FineTuner(
    Estimator[Any],
    StageParams,
    PredictionParams,
    HasLabelCol,
    own.HasTrainedLabels,
    HasHypothesisTemplate,
    HasValidationIndicatorCol,
    HasSeed,
    own.HasStyle,
    own.HasOutputPath,
    own.HasNumProcesses,
    own.HasLocalMode,
    own.HasUseGpu,
    own.HasValidation,
    setting.HasEpochs,
    setting.HasMaxSteps,
    setting.HasBatchSize,
    setting.HasLearningRate,
    setting.HasNegatives,
    setting.HasMaxLength,
    setting.HasTokensPerBatch,
    setting.HasEvaluationSteps,
    setting.HasPatience,
    setting.HasMonitor,
    setting.HasBf16,
    own.HasResume,
    own.HasOverwrite,
):
    """Fine-tuning as a Spark ML Estimator, on TorchDistributor.

    The labelled rows are collected on the driver: up to a million. ``fit`` gives a
    ``ZeroShotClassifier`` (style "entailment") or a ``TextClassifier`` (style "head") whose model
    is the folder ``outputPath``. Each fit needs a folder of its own: a second one into the same
    is refused, unless ``overwrite`` is set.

    Parameters
    ----------
    inputCol, labelCol : str
        Columns of texts and labels (strings; for the style "head" also integers). Rows without
        one of them are dropped, and counted in the metrics. "label" if labelCol is not given.
    outputPath : str or path
        Folder for the model, in Hugging Face's format. With ``localMode=False`` on a file system
        that driver and executors share.
    style : {"entailment", "head"}
    model : str or path
        What to start from; if not given, the default model.
    labels : list of str, or of int for the style "head"
        All labels in the order wanted; if not given those that occur, sorted.
    hypothesisTemplate : str
        Style "entailment".
    validation : float
        Part of each label's rows to choose the best model by.
    validationIndicatorCol : str
        Boolean column: rows to choose the best model by, in place of a part.
    numProcesses : int
        Processes on the driver, or with ``localMode=False`` on the executors: as many free task
        slots are needed. Their number does not change the model.
    localMode : bool
        True if not given.
    useGpu : bool
        One GPU for each process; False if not given. As TorchDistributor wants it, Spark must
        know the GPUs: ``spark.driver.resource.gpu.amount``, or ``spark.task.resource.gpu.amount``.
    epochs, maxSteps, batchSize, learningRate, negatives, maxLength, tokensPerBatch, \
evaluationSteps, patience, monitor, bf16, seed
        As the fields of ``sparknlp_zs.training.FinetuneSettings``.
    resume, overwrite : bool
        As in ``sparknlp_zs.training.finetune``.
    predictionCol, probabilityCol, predictedLabelCol, dtype
        Of the fitted stage.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; here, or from ``fit`` before any training process starts.

    Examples
    --------
    >>> import tempfile
    >>> from sparknlp_zs import spark as zs
    >>> rows = [("my card was stolen", "lost card"), ("what is a pound worth?", "exchange rate")]
    >>> df = spark.createDataFrame(rows * 4, "text string, label string")
    >>> tuner = zs.FineTuner(
    ...     inputCol="text", outputPath=tempfile.mkdtemp(), model="starter", maxSteps=2
    ... )
    >>> tuner.fit(df).getLabels()
    ['exchange rate', 'lost card']
    """

    def __init__(
        self,
        *,
        inputCol: str | None = None,
        labelCol: str | None = None,
        outputPath: str | os.PathLike[str] | None = None,
        style: str | None = None,
        model: str | os.PathLike[str] | None = None,
        labels: Iterable[str] | Iterable[int] | None = None,
        hypothesisTemplate: str | None = None,
        validation: float | None = None,
        validationIndicatorCol: str | None = None,
        numProcesses: int | None = None,
        localMode: bool | None = None,
        useGpu: bool | None = None,
        epochs: float | None = None,
        maxSteps: int | None = None,
        batchSize: int | None = None,
        learningRate: float | None = None,
        negatives: int | None = None,
        maxLength: int | None = None,
        tokensPerBatch: int | None = None,
        evaluationSteps: int | None = None,
        patience: int | None = None,
        monitor: str | None = None,
        bf16: bool | None = None,
        seed: int | None = None,
        resume: bool | None = None,
        overwrite: bool | None = None,
        predictionCol: str | None = None,
        probabilityCol: str | None = None,
        predictedLabelCol: str | None = None,
        dtype: str | None = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name in _ARGUMENTS}
        super().__init__()
        plain = FinetuneSettings()
        self._setDefault(
            style="entailment",
            numProcesses=1,
            localMode=True,
            useGpu=False,
            validation=None,
            resume=False,
            overwrite=False,
            **{param: getattr(plain, field) for param, field in _SETTINGS.items()},
        )
        self._set_given(**given)

    def setLabelCol(self, value: str) -> Self:
        """Set the name of the column with the labels."""
        self._set(labelCol=value)
        return self

    def setValidationIndicatorCol(self, value: str) -> Self:
        """Set the name of the column that marks validation rows."""
        self._set(validationIndicatorCol=value)
        return self

    def setSeed(self, value: int) -> Self:
        """Set the seed."""
        self._set(seed=value)
        return self

    def _fit(self, dataset: DataFrame) -> Transformer:
        self._check_set("inputCol", "outputPath")
        job = self._job(dataset)
        processes = Processes(self.getNumProcesses(), self.getLocalMode(), self.getUseGpu())
        tuned = train(dataset.sparkSession, job, processes, self.getResume(), self.getOverwrite())
        return self._stage(tuned)

    def _job(self, dataset: DataFrame) -> Job:
        settings = FinetuneSettings(
            **{field: self.getOrDefault(self.getParam(param)) for param, field in _SETTINGS.items()}
        )
        frame = self._collected(dataset)
        held: float | pd.DataFrame | None = self.getValidation()
        if self.isDefined("validationIndicatorCol"):
            marks = frame.pop(self.getValidationIndicatorCol()).fillna(False).astype(bool)
            frame, held = frame[~marks], frame[marks]
        return prepare(
            frame,
            text=self.getInputCol(),
            label=self.getLabelCol(),
            output=self.getOutputPath(),
            model=self.getModel(),
            style=self.getStyle(),
            labels=self.getOrDefault("labels") if self.isDefined("labels") else None,
            hypothesis_template=self.getHypothesisTemplate(),
            validation=held,
            settings=settings,
        )

    def _collected(self, dataset: DataFrame) -> pd.DataFrame:
        """The columns that matter, on the driver."""
        names = {"inputCol": self.getInputCol(), "labelCol": self.getLabelCol()}
        if self.isDefined("validationIndicatorCol"):
            if self.isDefined("validation") and self.getValidation() is not None:
                raise ValueError("validation: given beside validationIndicatorCol; use one of them")
            names["validationIndicatorCol"] = self.getValidationIndicatorCol()
        return collected(dataset, names)

    def _stage(self, tuned: Finetuned) -> Transformer:
        """The fitted stage."""
        columns = {
            "inputCol": readable(self.getInputCol()),
            "predictionCol": self.getPredictionCol(),
            "probabilityCol": self.getProbabilityCol(),
            "predictedLabelCol": self.getPredictedLabelCol(),
            "dtype": self.getDtype(),
        }
        if tuned.style == "entailment":
            return ZeroShotClassifier(
                labels=_labels(tuned),
                hypothesisTemplate=tuned.hypothesis_template,
                model=str(tuned.folder),
                **columns,
            )
        from sparknlp_zs.spark.classifier_stage import TextClassifier

        classifier: Transformer = TextClassifier(model=str(tuned.folder), **columns)
        return classifier


def _labels(tuned: Finetuned) -> list[str] | dict[str, str]:
    """The labels, with the descriptions that the model was trained on."""
    names = [str(label) for label in tuned.labels]
    described = tuple(tuned.descriptions) not in ((), tuple(names))
    return dict(zip(names, tuned.descriptions, strict=True)) if described else names


# Params that are fields of FinetuneSettings.
_SETTINGS = {
    "epochs": "epochs",
    "maxSteps": "max_steps",
    "batchSize": "batch_size",
    "learningRate": "learning_rate",
    "negatives": "negatives",
    "maxLength": "max_length",
    "tokensPerBatch": "tokens_per_batch",
    "evaluationSteps": "evaluation_steps",
    "patience": "patience",
    "monitor": "monitor",
    "bf16": "bf16",
    "seed": "seed",
}
_ARGUMENTS = frozenset(FineTuner.__init__.__kwdefaults__ or ())
