"""The Spark ML stage of task heads: TaskHeadClassifier."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from sparknlp_zs.engine.adapters import resolve_head
from sparknlp_zs.spark.head_params import (
    HasAdapter,
    HasChoicesCol,
    HasKind,
    HasTask,
    HasTextPairCol,
)
from sparknlp_zs.spark.heads import head_column
from sparknlp_zs.spark.prediction_stage import (
    Outputs,
    PredictionStage,
    outputs_of_column,
    outputs_of_labels,
)
from sparknlp_zs.spark.session import use_session
from sparknlp_zs.spark.versions import string_only
from sparknlp_zs.tasks import AdapterTask, TaskHead
from sparknlp_zs.tasks.heads import CHOICES, PAIR, TEXT

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


class TaskHeadClassifier(
    PredictionStage, HasTextPairCol, HasChoicesCol, HasTask, HasKind, HasAdapter
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

    def _transform(self, dataset: DataFrame) -> DataFrame:
        self._check_set("inputCol", "task")
        head, inputs = self._head()
        task, spec = resolve_head(head, replace(self._spec(), adapter=self.getAdapter()))
        names = self._names_for(task)
        self._check_outputs(dataset, **names)
        with use_session(dataset.sparkSession):
            result = head_column(head, inputs, spec, once=True)
            outputs = self._outputs(task)
        labels = task.labels if task.kind == "classification" else None
        return self._with_outputs(dataset, result, names, outputs, labels)

    def _head(self) -> tuple[TaskHead, list[str | Column]]:
        """The head, and the names of its columns."""
        pair, choices = self.getTextPairCol(), self.getChoicesCol()
        if pair and choices:
            raise ValueError(f"textPairCol={pair!r}, choicesCol={choices!r}: set one of them")
        columns = PAIR if pair else CHOICES if choices else TEXT
        second: list[str | Column] = [name for name in (pair, choices) if name]
        return TaskHead(self.getTask(), self.getKind(), columns), [self.getInputCol(), *second]

    def _names_for(self, task: AdapterTask) -> dict[str, str]:
        names = self._output_names()
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

    def _outputs(self, task: AdapterTask) -> Outputs:
        from pyspark.sql import functions as F

        if task.kind == "regression":
            return lambda scored: {"predictionCol": scored["score"]}
        if task.kind == "multiple_choice":
            return outputs_of_column(F.transform(self.getChoicesCol(), string_only))
        return outputs_of_labels(task.labels)
