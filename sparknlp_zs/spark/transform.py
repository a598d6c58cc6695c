"""A whole DataFrame scored in one pass, with metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sparknlp_zs.embedders import spec_for
from sparknlp_zs.engine.adapters import annotation_with_heads
from sparknlp_zs.models import Model
from sparknlp_zs.spark.functions import text_column
from sparknlp_zs.spark.session import column_key, refuse_twins
from sparknlp_zs.spark.shipping import ShippedModel, ship
from sparknlp_zs.spark.workers import MEASURES, score_table
from sparknlp_zs.tasks import Annotation, NamedTask

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Observation
    from pyspark.sql.types import StructField, StructType

_TEXT = "_zs_text"


def transform(
    df: DataFrame,
    text: str | Column,
    tasks: Mapping[str, NamedTask] | None = None,
    /,
    *,
    model: Model = None,
    observation: Observation | str | None = None,
    **named: NamedTask,
) -> DataFrame:
    """Score a whole DataFrame: its columns, and one more for each task.

    Prefer it to a column (``classify``, ``annotate``) where a table is scored once and then used:
    every row is scored exactly once in a job, also if a filter on a result follows, which makes
    Spark score a column twice; several tasks share one pass; and it can be observed. In return
    Spark moves nothing through it: filters are applied, and columns selected, where you write
    them, so do both before. Sorting by a result still runs the scoring twice (once to sample the
    ranges): persist first.

    Parameters
    ----------
    df : DataFrame
        Classic or Connect, batch or streaming. All columns pass through a Python worker, so
        their types must be known to Arrow.
    text : str or Column
        A string column.
    tasks : mapping of str to task, optional
        Names of the new columns, and their tasks; ``TaskHead(name)`` for a task of the model's
        adapter.
    model : str, path, ModelSpec or None
        None is the default model (``SPARKNLP_ZS_MODEL``, else the seed model).
    observation : Observation or str, optional
        Receives the metrics of the first action: ``rows``, ``null_rows`` (no result: the text is
        null, empty or blank), ``truncated_rows`` (the text was cut to the model's maximum length,
        beside one of the hypotheses at least) and ``seconds`` (of scoring, summed over the
        workers, without the loading of the model). For a streaming DataFrame a name, under which
        the query's progress reports them for each micro-batch.
    **named : task
        Tasks by name, such as ``topic=ZeroShot([...])``; a name that is an argument here, or no
        identifier, goes into the mapping.

    Returns
    -------
    DataFrame
        The rows of ``df``, in order within partitions, with one more column per task, of the type
        that the task has by itself; null where the text is null, empty or blank.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, a task is not over one text column, or a column of such a name
        exists; before any job.
    ModelNotFoundError
        If there is no such model, or no adapter for task heads; before any job.
    pyspark.errors.AnalysisException
        If the column is missing or no string; before any job.

    Examples
    --------
    >>> from pyspark.sql import Observation
    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("my card was stolen",), ("",)], "text string")
    >>> metrics = Observation()
    >>> scored = zs.transform(
    ...     df,
    ...     "text",
    ...     topic=zs.ZeroShot(["stolen card", "exchange rate"]),
    ...     model="starter",
    ...     observation=metrics,
    ... )
    >>> scored.where("topic.score > 0.5").select("text", "topic.label").collect()
    [Row(text='my card was stolen', label='stolen card')]
    >>> metrics.get["rows"], metrics.get["null_rows"], metrics.get["truncated_rows"]
    (2, 1, 0)
    """
    task, model = annotation_with_heads(tasks, named, model)
    if df.isStreaming and not isinstance(observation, str | None):
        raise TypeError(
            f"observation={observation!r}: a stream reports its metrics by name, with each of its "
            'batches; pass a name, as in observation="zs"'
        )
    _check_free(df, [name for name, _ in task.tasks])
    given = df.select("*", text_column(text, "text").alias(_TEXT))
    fields = given.schema.fields[:-1]
    sized = _sized_strings(fields)
    shipped = ship(df.sparkSession, spec_for(task, model))
    # mapInArrow finds columns by name, and fails for names with dots and names given twice.
    numbered = given.toDF(*(f"_{at}" for at in range(len(fields))), _TEXT)
    plain = _cast(numbered, dict.fromkeys(sized, "string"))
    schema = _schema(plain.schema.fields[:-1], task, measured=observation is not None)
    scored = plain.mapInArrow(_scoring(shipped, task, schema.names), schema)
    if observation is not None:
        scored = scored.observe(observation, *_metrics()).drop(*MEASURES)
    scored = _cast(scored, sized)
    return scored.toDF(*df.columns, *(name for name, _ in task.tasks))


def _check_free(df: DataFrame, names: list[str]) -> None:
    same = column_key(df.sparkSession)
    taken = [*df.columns, _TEXT, *MEASURES]
    refuse_twins(names, df.sparkSession)
    for name in names:
        if same(name) in map(same, taken):
            raise ValueError(f"{name}: such a column already exists; choose another name")


def _cast(df: DataFrame, kinds: Mapping[str, str]) -> DataFrame:
    for name, kind in kinds.items():
        df = df.withColumn(name, df[name].cast(kind))
    return df


def _sized_strings(fields: list[StructField]) -> dict[str, str]:
    """The columns of CHAR and VARCHAR, by their numbered names: Arrow knows strings alone.

    Raises
    ------
    TypeError
        If a column is of another type that Arrow does not know.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql.pandas.types import to_arrow_type
    from pyspark.sql.types import CharType, VarcharType

    # Some Spark versions want a time zone.
    options = {"timezone": "UTC"} if "timezone" in signature(to_arrow_type).parameters else {}
    found: dict[str, str] = {}
    for at, field in enumerate(fields):
        if isinstance(field.dataType, CharType | VarcharType):
            found[f"_{at}"] = field.dataType.simpleString()  # Connect 4.0 has no such types
            continue
        try:
            reason = _twins(to_arrow_type(field.dataType, **options))
        except PySparkException as error:
            reason = str(error).splitlines()[0]
        if reason:
            raise TypeError(
                f"column {field.name!r}: {field.dataType.simpleString()} cannot pass through a "
                f"Python worker ({reason}); select the other columns before, or use zs.annotate, "
                "whose result is a column"
            )
    return found


def _twins(kind: pa.DataType) -> str:
    """What is wrong if fields of a struct share a name; Spark 3.5 tells only in the job."""
    fields = [kind.field(at) for at in range(kind.num_fields)]
    names = [field.name for field in fields]
    if len(set(names)) < len(names):
        return f"fields of one name in {kind}"
    return next(filter(None, (_twins(field.type) for field in fields)), "")


def _schema(given: list[StructField], task: Annotation, *, measured: bool) -> StructType:
    """The given columns, the tasks' results, and the measures; all but these numbered."""
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType

    results = [StructField("", from_arrow_type(part.result_type)) for _, part in task.tasks]
    schema = StructType()
    for at, field in enumerate([*given, *results]):
        schema = schema.add(f"_{at}", field.dataType, field.nullable, field.metadata)
    for name, kind in MEASURES.items() if measured else ():
        schema = schema.add(name, from_arrow_type(kind))
    return schema


def _scoring(shipped: ShippedModel, task: Annotation, names: list[str]) -> Any:
    task_json = shipped.task_json(task)

    def zs_transform(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from score_table(shipped, task_json, names, batches)

    return zs_transform


def _metrics() -> list[Column]:
    from pyspark.sql import functions as F

    missing, truncated, seconds = MEASURES
    return [
        F.count(F.lit(1)).alias("rows"),
        F.count_if(missing).alias("null_rows"),
        F.count_if(truncated).alias("truncated_rows"),
        F.sum(seconds).alias("seconds"),
    ]
