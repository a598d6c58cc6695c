"""The Spark ML stage of trained classifiers: TextClassifier."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sparknlp_zs.classifiers import classifier_of
from sparknlp_zs.spark.classifier import classifier_column
from sparknlp_zs.spark.prediction_stage import PredictionStage, outputs_of_labels
from sparknlp_zs.spark.session import use_session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class TextClassifier(PredictionStage):
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

    def _transform(self, dataset: DataFrame) -> DataFrame:
        self._check_set("inputCol")
        if self.getModel() is None:  # the default of other stages is an NLI model
            raise ValueError("model: not set; pass the folder of a classifier, or call setModel()")
        names = self._output_names()
        self._check_outputs(dataset, **names)
        task, spec = classifier_of(self._spec())
        with use_session(dataset.sparkSession):
            column = classifier_column(self.getInputCol(), task, spec, once=True)
        return self._with_outputs(
            dataset, column, names, outputs_of_labels(task.labels), task.labels
        )
