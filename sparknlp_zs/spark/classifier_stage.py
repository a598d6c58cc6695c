"""The Spark ML stage of trained classifiers: TextClassifier."""

# ruff: noqa: N802 - Spark ML's names are in camelCase.

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyspark.ml.param.shared import HasInputCol, HasPredictionCol, HasProbabilityCol

from sparknlp_zs.classifiers import classifier_of
from sparknlp_zs.spark.classifier import classifier_column
from sparknlp_zs.spark.modelstage import ModelStage
from sparknlp_zs.spark.params import HasPredictedLabelCol
from sparknlp_zs.spark.session import use_session
from sparknlp_zs.spark.stages import _metadata, _outputs

if TYPE_CHECKING:
    from typing import Self

    from pyspark.sql import DataFrame


class TextClassifier(
    ModelStage, HasInputCol, HasPredictionCol, HasProbabilityCol, HasPredictedLabelCol
):
    """A model that was trained on classes of its own, as a Spark ML Transformer.

    Where the text is null, empty or blank, all outputs are null: drop these rows
    (``dropna(subset=["prediction"])``) before an evaluator. The model scores each row once, also
    if a filter on the outputs follows; filter on other columns before the stage.

    Parameters
    ----------
    inputCol : str
        A string column.
    model : str or path
        Folder or hub id of a sequence classifier in Hugging Face's format, as a fine-tuning saves
        it. A saved stage holds its name, not its weights.
    predictionCol : str
        The likeliest class's id, a double with the classes as nominal metadata: ``IndexToString``
        turns it into their names. "prediction" if not given; ``""`` for none.
    probabilityCol : str
        Vector of the probabilities, in the order of the ids. "probability" if not given; ``""``
        for none.
    predictedLabelCol : str
        The likeliest class's name; not added if not given.
    dtype : {"float32", "bfloat16", "float16", "auto"}

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or the model is no classifier, a regression or an NLI model; here,
        or from ``transform`` before any job.
    ModelNotFoundError
        From ``transform``, if there is no such model.

    Examples
    --------
    With ``model`` the folder of a classifier of moods:

    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("a fine film",), (None,)], "text string")
    >>> moods = zs.TextClassifier(inputCol="text", model=model, predictedLabelCol="mood")
    >>> first, second = moods.transform(df).collect()
    >>> first["mood"] in ("sad", "neutral", "glad"), second["mood"]
    (True, None)
    """

    def __init__(
        self,
        *,
        inputCol: str | None = None,
        model: str | os.PathLike[str] | None = None,
        predictionCol: str | None = None,
        probabilityCol: str | None = None,
        predictedLabelCol: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__()
        self._set_given(
            inputCol=inputCol,
            model=model,
            predictionCol=predictionCol,
            probabilityCol=probabilityCol,
            predictedLabelCol=predictedLabelCol,
            dtype=dtype,
        )

    def setInputCol(self, value: str) -> Self:
        """Set the name of the text column."""
        self._set(inputCol=value)
        return self

    def setPredictionCol(self, value: str) -> Self:
        """Set the name of the column with the likeliest class's id; ``""`` for none."""
        self._set(predictionCol=value)
        return self

    def setProbabilityCol(self, value: str) -> Self:
        """Set the name of the column with the probabilities; ``""`` for none."""
        self._set(probabilityCol=value)
        return self

    def _transform(self, dataset: DataFrame) -> DataFrame:
        self._check_set("inputCol")
        if self.getModel() is None:  # the default of other stages is an NLI model
            raise ValueError("model: not set; pass the folder of a classifier, or call setModel()")
        names = {
            "predictionCol": self.getPredictionCol(),
            "probabilityCol": self.getProbabilityCol(),
            "predictedLabelCol": self.getPredictedLabelCol(),
        }
        self._check_outputs(dataset, **names)
        task, spec = classifier_of(self._spec())
        scored = f"_{self.uid}"
        with use_session(dataset.sparkSession):
            column = classifier_column(self.getInputCol(), task, spec, once=True)
        frame = dataset.withColumn(scored, column)
        columns = _outputs(frame[scored], task.labels)
        outputs = [
            columns[param].alias(name, metadata=_metadata(param, name, task.labels))
            for param, name in names.items()
            if name
        ]
        return frame.select("*", *outputs).drop(scored)
