"""The Spark ML stage of task heads: TaskHeadClassifier."""

# ruff: noqa: N802 - Spark ML's names are in camelCase.

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from pyspark.ml.param.shared import HasInputCol, HasPredictionCol, HasProbabilityCol

from sparknlp_zs.engine.adapters import resolve_head
from sparknlp_zs.spark.head_params import (
    HasAdapter,
    HasChoicesCol,
    HasKind,
    HasTask,
    HasTextPairCol,
)
from sparknlp_zs.spark.heads import head_column
from sparknlp_zs.spark.modelstage import ModelStage
from sparknlp_zs.spark.params import HasPredictedLabelCol
from sparknlp_zs.spark.session import use_session
from sparknlp_zs.spark.stages import _metadata, _outputs, outputs_in_order
from sparknlp_zs.tasks import AdapterTask, TaskHead
from sparknlp_zs.tasks.heads import CHOICES, PAIR, TEXT

if TYPE_CHECKING:
    from typing import Self

    from pyspark.sql import Column, DataFrame


class TaskHeadClassifier(
    ModelStage,
    HasInputCol,
    HasTextPairCol,
    HasChoicesCol,
    HasTask,
    HasKind,
    HasPredictionCol,
    HasProbabilityCol,
    HasPredictedLabelCol,
    HasAdapter,
):
    """A ready-made task head as a Spark ML Transformer.

    Where any of the texts or choices is null, empty or blank, all outputs are null: drop these
    rows (``dropna(subset=["prediction"])``) before an evaluator. The model scores each row once,
    also if a filter on the outputs follows; filter on other columns before the stage.

    Parameters
    ----------
    inputCol : str
        A string column.
    textPairCol : str
        A string column with the second text, for a task on pairs.
    choicesCol : str
        A column of arrays of strings, for a multiple-choice task.
    task : str
        A task of the model's adapter, such as "glue/sst2"; ``zs.tasks(model)`` lists them.
    kind : {"classification", "regression", "multiple_choice"}
        Read from the adapter if not given.
    predictionCol : str
        Classification: the likeliest class's position among the task's labels, a double with the
        labels as nominal metadata. Multiple choice: the best choice's position in the row's
        array. Regression: the value. "prediction" if not given; ``""`` for none.
    probabilityCol : str
        Vector of the probabilities, in the order of the labels or of the row's choices.
        "probability" if not given, but for a regression, which has none; ``""`` for none.
    predictedLabelCol : str
        The likeliest class, or the best choice, as a string; not added if not given.
    model : str or path
        A folder or hub id. If not given, the default model, resolved anew where a saved stage is
        loaded.
    adapter : str or path
        Folder or hub id of its task heads; found by the model's name if not given.
    dtype : {"float32", "bfloat16", "float16"}

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, the adapter lacks the task or does not fit the model; here, or
        from ``transform`` before any job.
    ModelNotFoundError
        From ``transform``, if there is no such model or no adapter.

    Examples
    --------
    With ``model`` a DeBERTa that has an adapter:

    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("a fine film",), (None,)], "text string")
    >>> head = zs.TaskHeadClassifier(
    ...     inputCol="text", task="glue/sst2", predictedLabelCol="label", model=model
    ... )
    >>> first, second = head.transform(df).collect()
    >>> first["label"] in ("negative", "positive"), second["label"]
    (True, None)
    """

    def __init__(
        self,
        *,
        inputCol: str | None = None,
        textPairCol: str | None = None,
        choicesCol: str | None = None,
        task: str | None = None,
        kind: str | None = None,
        predictionCol: str | None = None,
        probabilityCol: str | None = None,
        predictedLabelCol: str | None = None,
        model: str | os.PathLike[str] | None = None,
        adapter: str | os.PathLike[str] | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__()
        self._set_given(
            inputCol=inputCol,
            textPairCol=textPairCol,
            choicesCol=choicesCol,
            task=task,
            kind=kind,
            predictionCol=predictionCol,
            probabilityCol=probabilityCol,
            predictedLabelCol=predictedLabelCol,
            model=model,
            adapter=adapter,
            dtype=dtype,
        )

    def setInputCol(self, value: str) -> Self:
        """Set the name of the text column."""
        self._set(inputCol=value)
        return self

    def setPredictionCol(self, value: str) -> Self:
        """Set the name of the column with the prediction; ``""`` for none."""
        self._set(predictionCol=value)
        return self

    def setProbabilityCol(self, value: str) -> Self:
        """Set the name of the column with the probabilities; ``""`` for none."""
        self._set(probabilityCol=value)
        return self

    def _transform(self, dataset: DataFrame) -> DataFrame:
        self._check_set("inputCol", "task")
        head, inputs = self._head()
        task, spec = resolve_head(head, replace(self._spec(), adapter=self.getAdapter()))
        names = self._output_names(task)
        self._check_outputs(dataset, **names)
        scored = f"_{self.uid}"
        with use_session(dataset.sparkSession):
            column = head_column(head, inputs, spec, once=True)
        frame = dataset.withColumn(scored, column)
        columns = self._columns(task, frame[scored], frame)
        outputs = [
            columns[param].alias(name, metadata=_attributes(task, param, name))
            for param, name in names.items()
            if name
        ]
        return frame.select("*", *outputs).drop(scored)

    def _head(self) -> tuple[TaskHead, list[str | Column]]:
        """The head, and the names of its columns."""
        pair, choices = self.getTextPairCol(), self.getChoicesCol()
        if pair and choices:
            raise ValueError(f"textPairCol={pair!r}, choicesCol={choices!r}: set one of them")
        columns = PAIR if pair else CHOICES if choices else TEXT
        second: list[str | Column] = [name for name in (pair, choices) if name]
        return TaskHead(self.getTask(), self.getKind(), columns), [self.getInputCol(), *second]

    def _output_names(self, task: AdapterTask) -> dict[str, str]:
        names = {
            "predictionCol": self.getPredictionCol(),
            "probabilityCol": self.getProbabilityCol(),
            "predictedLabelCol": self.getPredictedLabelCol(),
        }
        if task.kind != "regression":
            return names
        for param in ("probabilityCol", "predictedLabelCol"):
            name = names.pop(param)
            if self.isSet(param) and name:
                raise ValueError(
                    f"{param}={name!r}: task {task.name!r} is a regression, whose only output is "
                    "predictionCol"
                )
        return names

    def _columns(self, task: AdapterTask, scored: Column, frame: DataFrame) -> dict[str, Column]:
        """The outputs by Param."""
        if task.kind == "regression":
            return {"predictionCol": scored["score"]}
        if task.kind == "multiple_choice":
            return outputs_in_order(scored, frame[self.getChoicesCol()])
        return _outputs(scored, task.labels)


def _attributes(task: AdapterTask, param: str, name: str) -> dict[str, object]:
    """Spark ML's attributes of a column; choices differ by row and have none."""
    return _metadata(param, name, task.labels) if task.kind == "classification" else {}
