"""What the stages with Spark ML's outputs share: prediction, probability, predicted label."""

# ruff: noqa: N802 - Spark ML's names are in camelCase.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pyspark.ml.param.shared import HasInputCol, HasPredictionCol, HasProbabilityCol

from sparknlp_zs.spark.modelstage import ModelStage
from sparknlp_zs.spark.params import HasPredictedLabelCol

if TYPE_CHECKING:
    from typing import Self

    from pyspark.sql import Column, DataFrame

# From a column of results, ``struct<label, score, labels, scores>``, to the outputs by Param.
Outputs: TypeAlias = "Callable[[Column], dict[str, Column]]"


class PredictionParams(HasInputCol, HasPredictionCol, HasProbabilityCol, HasPredictedLabelCol):
    """A text column and Spark ML's output columns."""

    def setInputCol(self, value: str) -> Self:
        """Set the name of the text column."""
        self._set(inputCol=value)
        return self

    def setPredictionCol(self, value: str) -> Self:
        """Set the name of the column with the prediction; ``""`` for none."""
        self._set(predictionCol=value)
        return self

    def setProbabilityCol(self, value: str) -> Self:
        """Set the name of the column with the scores; ``""`` for none."""
        self._set(probabilityCol=value)
        return self


class PredictionStage(ModelStage, PredictionParams):
    """A Transformer that scores a text column, each row once, into Spark ML's output columns."""

    def _output_names(self) -> dict[str, str]:
        """The output columns' names by Param; ``""`` for a column that is not wanted."""
        return {
            "predictionCol": self.getPredictionCol(),
            "probabilityCol": self.getProbabilityCol(),
            "predictedLabelCol": self.getPredictedLabelCol(),
        }

    def _with_outputs(
        self,
        dataset: DataFrame,
        result: Column,
        names: Mapping[str, str],
        outputs: Outputs,
        labels: Sequence[str] | None,
    ) -> DataFrame:
        """The dataset with the named outputs of a result column.

        ``labels`` go into the outputs' metadata; None if they differ by row, or there are none.
        """
        scored = f"_{self.uid}"
        frame = dataset.withColumn(scored, result)
        columns = outputs(frame[scored])
        added = [
            columns[param].alias(name, metadata=_attributes(param, name, labels))
            for param, name in names.items()
            if name
        ]
        return frame.select("*", *added).drop(scored)


def outputs_of_labels(labels: Sequence[str]) -> Outputs:
    """The outputs of a task that has the same labels in every row."""
    from pyspark.sql import functions as F

    return outputs_of_column(F.array(*[F.lit(label) for label in labels]))


def outputs_of_column(labels: Column) -> Outputs:
    """The outputs in the order of a column with each row's array of labels.

    The arrays of the result are in descending order of score.
    """
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql import functions as F

    def outputs(scored: Column) -> dict[str, Column]:
        def score(label: Column) -> Column:
            at = _position(scored["labels"], label).cast("int")
            # A task may leave out labels that it did not score.
            return F.when(at > 0, F.element_at(scored["scores"], at)).otherwise(0.0)

        in_order = F.transform(labels, score)
        return {
            "predictionCol": (_position(labels, scored["label"]) - 1).cast("double"),
            # array_to_vector takes no null.
            "probabilityCol": F.when(scored.isNotNull(), array_to_vector(in_order)),
            "predictedLabelCol": scored["label"],
        }

    return outputs


def _position(array: Column, value: Column) -> Column:
    from pyspark.sql import functions as F

    # F.array_position takes no column before Spark 4.
    return F.call_function("array_position", array, value)


def _attributes(param: str, name: str, labels: Sequence[str] | None) -> dict[str, Any]:
    """Spark ML's attributes of an output column."""
    if labels is None:
        return {}
    if param == "predictionCol":
        return {"ml_attr": {"type": "nominal", "vals": list(labels), "name": name}}
    return {"ml_attr": {"num_attrs": len(labels)}} if param == "probabilityCol" else {}
