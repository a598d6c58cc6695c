"""A Spark ML stage over Spark NLP's annotations: AnnotationClassifier."""

# ruff: noqa: N802 - Spark ML's names are in camelCase.

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyspark.ml.param.shared import HasInputCols, HasOutputCol

from sparknlp_zs.embedders import spec_for
from sparknlp_zs.spark.arrays import array_udf
from sparknlp_zs.spark.modelstage import ModelStage
from sparknlp_zs.spark.names import quoted
from sparknlp_zs.spark.session import column_key
from sparknlp_zs.spark.shipping import ship
from sparknlp_zs.spark.task_param import HasZeroShotTask
from sparknlp_zs.tasks import ZeroShot
from sparknlp_zs.tasks.checks import Labels

if TYPE_CHECKING:
    from typing import Self

    from pyspark.sql import Column, DataFrame

SCORED_TYPES = ("document", "sentence")
RESULT_TYPE = "category"
_SENTENCE = "sentence"  # Spark NLP's key of a sentence's number, beside the labels

ANNOTATIONS = (
    "array<struct<annotatorType:string,begin:int,end:int,result:string,"
    "metadata:map<string,string>,embeddings:array<float>>>"
)


class AnnotationClassifier(ModelStage, HasInputCols, HasOutputCol, HasZeroShotTask):
    """Zero-shot classification of Spark NLP's annotations, as a stage among its stages.

    Each document or sentence gets one annotation, at the same place in the array: of type
    "category", with the sentence's ``begin`` and ``end``, the best label as ``result``, and as
    ``metadata`` the score of every label and the sentence's number. Where the text is null, empty
    or blank the result is null and the metadata hold the number alone. A null array gives null.
    Annotations of other types in the column are left out, as Spark NLP's annotators do.

    Spark NLP is not needed: any column of its schema will do. The model scores each sentence
    once, also if a filter on the output follows.

    Parameters
    ----------
    inputCols : list of str
        One column of annotations, such as of a DocumentAssembler or SentenceDetector.
    outputCol : str
        The column of new annotations, marked as "category" in its metadata.
    labels : list of str, or dict of str to str
        Candidate labels; a dict gives each a description, which its hypothesis says instead.
    hypothesisTemplate : str
        Sentence with ``{}`` for the label.
    multiLabel : bool
        Score each label by itself; the result is the label with the highest score.
    task : ZeroShot
        A whole task, in place of ``labels``, ``hypothesisTemplate`` and ``multiLabel``.
    model : str or path
        A folder, hub id or "starter". If not given, the default model.
    dtype : {"float32", "bfloat16", "float16", "auto"}

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong or the column has another schema; here, or from ``transform``
        before any job.

    Examples
    --------
    >>> from sparknlp_zs.spark import AnnotationClassifier
    >>> document = "named_struct('annotatorType', 'document', 'begin', 0, 'end', 17, 'result', "
    >>> document += "text, 'metadata', map('sentence', '0'), 'embeddings', array(0f))"
    >>> df = spark.createDataFrame([("my card was stolen",)], "text string")
    >>> df = df.selectExpr(f"array({document}) AS document")
    >>> classifier = AnnotationClassifier(
    ...     inputCols=["document"], outputCol="class", labels=["stolen card", "exchange rate"],
    ...     model="starter",
    ... )
    >>> found = classifier.transform(df).selectExpr("explode(class) AS class").first()["class"]
    >>> found["annotatorType"], found["begin"], found["end"], found["result"]
    ('category', 0, 17, 'stolen card')
    >>> sorted(found["metadata"])
    ['exchange rate', 'sentence', 'stolen card']
    """

    def __init__(
        self,
        *,
        inputCols: list[str] | None = None,
        outputCol: str | None = None,
        labels: Labels | None = None,
        hypothesisTemplate: str | None = None,
        multiLabel: bool | None = None,
        task: ZeroShot | None = None,
        model: str | os.PathLike[str] | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__()
        self._set_given(
            inputCols=inputCols,
            outputCol=outputCol,
            labels=labels,
            hypothesisTemplate=hypothesisTemplate,
            multiLabel=multiLabel,
            task=task,
            model=model,
            dtype=dtype,
        )

    def setInputCols(self, value: list[str]) -> Self:
        """Set the column of annotations: a list of one name, as Spark NLP's stages take it."""
        self._set(inputCols=value)
        return self

    def setOutputCol(self, value: str) -> Self:
        """Set the name of the output column."""
        self._set(outputCol=value)
        return self

    def _transform(self, dataset: DataFrame) -> DataFrame:
        from pyspark.sql import functions as F

        self._check_set("inputCols")
        self._check_outputs(dataset, outputCol=self.getOutputCol())
        task = self._task()
        name = self._checked_input(dataset)
        annotations = F.filter(F.col(quoted(name)), _is_scored)
        texts = F.transform(annotations, lambda x: x["result"])
        udf = array_udf(task, ship(dataset.sparkSession, spec_for(task, self._spec())))
        scored = f"_{self.uid}"
        frame = dataset.withColumn(scored, udf.asNondeterministic()(texts))
        categories = F.transform(annotations, lambda x, i: _category(x, i, F.col(scored)[i]))
        output = categories.alias(self.getOutputCol(), metadata={"annotatorType": RESULT_TYPE})
        return frame.select("*", output).drop(scored)

    def _task(self) -> ZeroShot:
        task = self._zero_shot()
        if _SENTENCE in task.labels:
            raise ValueError(
                f"labels: {_SENTENCE!r} is where an annotation's metadata keep the sentence's "
                "number; name the label otherwise"
            )
        return task

    def _checked_input(self, dataset: DataFrame) -> str:
        names: list[str] = self.getInputCols()
        if len(names) != 1:
            raise ValueError(f"inputCols={names!r}: name one column, of documents or sentences")
        same = column_key(dataset.sparkSession)
        columns: list[str] = dataset.columns
        name = next((x for x in columns if same(x) == same(names[0])), None)
        if name is None:
            raise ValueError(
                f"inputCols={names!r}: no such column; the columns are {dataset.columns[:20]}"
            )
        field = dataset.schema[name]
        if not _holds_annotations(field.dataType.simpleString()):
            raise ValueError(
                f"inputCols={names!r}: {field.dataType.simpleString()} is no column of "
                f"annotations; pass {ANNOTATIONS}"
            )
        kind = field.metadata.get("annotatorType", SCORED_TYPES[0])
        if kind not in SCORED_TYPES:
            raise ValueError(
                f"inputCols={names!r}: annotations of type {kind!r}; pass a column of type "
                f"{' or '.join(map(repr, SCORED_TYPES))}"
            )
        return name


def _holds_annotations(kind: str) -> bool:
    """Whether a type has Spark NLP's fields, in their order; embeddings are not looked at."""
    return kind.startswith(ANNOTATIONS[: ANNOTATIONS.index(",embeddings")])


def _is_scored(annotation: Column) -> Column:
    return annotation.isNull() | annotation["annotatorType"].isin(*SCORED_TYPES)


def _category(annotation: Column, position: Column, scored: Column) -> Column:
    """The annotation of one sentence, from the struct of ``zs.classify``."""
    from pyspark.sql import functions as F

    number = F.coalesce(annotation["metadata"][_SENTENCE], position.cast("string"))
    sentence = F.create_map(F.lit(_SENTENCE), number)
    scores = F.transform(scored["scores"], lambda x: x.cast("string"))
    metadata = F.map_concat(F.map_from_arrays(scored["labels"], scores), sentence)
    category = F.struct(
        F.lit(RESULT_TYPE).alias("annotatorType"),
        annotation["begin"].alias("begin"),
        annotation["end"].alias("end"),
        scored["label"].alias("result"),
        F.coalesce(metadata, sentence).alias("metadata"),
        F.array().cast("array<float>").alias("embeddings"),
    )
    return F.when(annotation.isNotNull(), category)
