"""Spark ML stages: ZeroShotClassifier, NLIScorer."""

# ruff: noqa: N802 - Spark ML's names are in camelCase.

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyspark.ml.param.shared import HasOutputCol

from sparknlp_zs.spark.functions import score_column
from sparknlp_zs.spark.long_text_param import HasLongText
from sparknlp_zs.spark.modelstage import ModelStage
from sparknlp_zs.spark.params import HasHypothesisCol, HasPremiseCol
from sparknlp_zs.spark.prediction_stage import PredictionStage, outputs_of_labels
from sparknlp_zs.spark.session import use_session
from sparknlp_zs.spark.task_param import HasZeroShotTask
from sparknlp_zs.tasks import NLI, ZeroShot
from sparknlp_zs.tasks.checks import Labels

if TYPE_CHECKING:
    from typing import Self

    from pyspark.sql import Column, DataFrame


class ZeroShotClassifier(PredictionStage, HasZeroShotTask):
    """Zero-shot classification as a Spark ML Transformer.

    Where the text is null, empty or blank, all outputs are null: drop these rows
    (``dropna(subset=["prediction"])``) before an evaluator. The model scores each row once, also
    if a filter on the outputs follows; filter on other columns before the stage.

    Parameters
    ----------
    inputCol : str
        A string column.
    labels : list of str, or dict of str to str
        Candidate labels; a dict gives each a description, which its hypothesis says instead.
        Their order is that of the predictions and probabilities.
    predictionCol : str
        The best label's position in ``labels``, a double with the labels as nominal metadata:
        ``IndexToString`` turns it into strings. "prediction" if not given; ``""`` for none.
    probabilityCol : str
        Vector of the scores in the order of ``labels``. "probability" if not given; ``""`` for
        none.
    predictedLabelCol : str
        The best label as a string; not added if not given.
    hypothesisTemplate : str
        Sentence with ``{}`` for the label.
    multiLabel : bool
        Score each label by itself; the prediction is the label with the highest score.
    task : ZeroShot
        A whole task, in place of ``labels``, ``hypothesisTemplate`` and ``multiLabel``.
    model : str or path
        A folder, hub id or "starter". If not given, the default model (``SPARKNLP_ZS_MODEL``,
        else the seed model), resolved anew where a saved stage is loaded.
    dtype : {"float32", "bfloat16", "float16", "auto"}

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; here, or from ``transform`` before any job.

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("my card was stolen",), (None,)], "text string")
    >>> classifier = zs.ZeroShotClassifier(
    ...     inputCol="text", labels=["exchange rate", "stolen card"], model="starter"
    ... )
    >>> scored = classifier.transform(df).cache()
    >>> scored.select("prediction").collect()
    [Row(prediction=1.0), Row(prediction=None)]
    >>> from pyspark.ml.feature import IndexToString
    >>> to_label = IndexToString(inputCol="prediction", outputCol="label")
    >>> to_label.transform(scored.dropna()).first()["label"]
    'stolen card'
    """

    def __init__(
        self,
        *,
        inputCol: str | None = None,
        labels: Labels | None = None,
        predictionCol: str | None = None,
        probabilityCol: str | None = None,
        predictedLabelCol: str | None = None,
        hypothesisTemplate: str | None = None,
        multiLabel: bool | None = None,
        task: ZeroShot | None = None,
        model: str | os.PathLike[str] | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__()
        self._set_given(
            inputCol=inputCol,
            labels=labels,
            predictionCol=predictionCol,
            probabilityCol=probabilityCol,
            predictedLabelCol=predictedLabelCol,
            hypothesisTemplate=hypothesisTemplate,
            multiLabel=multiLabel,
            task=task,
            model=model,
            dtype=dtype,
        )

    def _transform(self, dataset: DataFrame) -> DataFrame:
        self._check_set("inputCol")
        task, names = self._zero_shot(), self._output_names()
        self._check_outputs(dataset, **names)
        with use_session(dataset.sparkSession):
            result = score_column(task, [self.getInputCol()], self._spec(), once=True)
            outputs = outputs_of_labels(task.labels)
        return self._with_outputs(dataset, result, names, outputs, task.labels)


class NLIScorer(ModelStage, HasPremiseCol, HasHypothesisCol, HasOutputCol, HasLongText):
    """Natural language inference as a Spark ML Transformer.

    The model scores each row once, also if a filter on the output follows.

    Parameters
    ----------
    premiseCol, hypothesisCol : str
        String columns.
    outputCol : str
        ``struct<label, score, entailment, neutral, contradiction>``; null where either text is
        null, empty or blank.
    longText : {"truncate", "chunk"}
        What becomes of pairs that are too long. "truncate": the longer text is cut first.
        "chunk": the premise is scored in chunks of at least half of the tokens, and the
        hypothesis cut to what they leave.
    model : str or path
        A folder, hub id or "starter". If not given, the default model.
    dtype : {"float32", "bfloat16", "float16", "auto"}

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("A man sleeps.", "A man is asleep.")], "p string, h string")
    >>> nli = zs.NLIScorer(premiseCol="p", hypothesisCol="h", outputCol="nli", model="starter")
    >>> nli.transform(df).select("nli.label").collect()
    [Row(label='entailment')]
    """

    def __init__(
        self,
        *,
        premiseCol: str | None = None,
        hypothesisCol: str | None = None,
        outputCol: str | None = None,
        longText: str | None = None,
        model: str | os.PathLike[str] | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__()
        self._set_given(
            premiseCol=premiseCol,
            hypothesisCol=hypothesisCol,
            outputCol=outputCol,
            longText=longText,
            model=model,
            dtype=dtype,
        )

    def setOutputCol(self, value: str) -> Self:
        """Set the name of the output column."""
        self._set(outputCol=value)
        return self

    def _transform(self, dataset: DataFrame) -> DataFrame:
        self._check_set("premiseCol", "hypothesisCol")
        self._check_outputs(dataset, outputCol=self.getOutputCol())
        texts: list[str | Column] = [self.getPremiseCol(), self.getHypothesisCol()]
        task = NLI(long_text=self.getLongText())
        with use_session(dataset.sparkSession):
            column = score_column(task, texts, self._spec(), once=True)
        return dataset.withColumn(self.getOutputCol(), column)
