"""Spark columns: classify, scores, nli."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sparknlp_zs.models import ModelSpec, model_spec
from sparknlp_zs.spark.session import active_session
from sparknlp_zs.spark.shipping import ShippedModel, ship
from sparknlp_zs.spark.workers import score_batches
from sparknlp_zs.tasks import DEFAULT_TEMPLATE, NLI, Task, ZeroShot, ZeroShotScores

if TYPE_CHECKING:
    from pyspark.sql import Column

Model = str | os.PathLike[str] | ModelSpec | None


def classify(
    text: str | Column,
    labels: Iterable[str],
    *,
    hypothesis_template: str = DEFAULT_TEMPLATE,
    multi_label: bool = False,
    model: Model = None,
) -> Column:
    """Zero-shot classification of a text column.

    Parameters
    ----------
    text : str or Column
        A string column.
    labels : list of str
        Candidate labels.
    hypothesis_template : str
        Sentence with ``{}`` for the label.
    multi_label : bool
        Score each label by itself.
    model : str, path, ModelSpec or None
        None is the default model (``SPARKNLP_ZS_MODEL``, else the seed model).

    Returns
    -------
    Column
        ``struct<label: string, score: double, labels: array<string>, scores: array<double>>``,
        the arrays in descending order of score; null where the text is null, empty or blank.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; before any job.
    ModelNotFoundError
        If there is no such model; before any job.
    pyspark.errors.AnalysisException
        From the DataFrame method, if the column is missing or no string; before any job.

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("my card was stolen",), ("",)], "text string")
    >>> topic = zs.classify("text", ["stolen card", "exchange rate"], model="starter")
    >>> df.select(topic["label"].alias("label")).collect()
    [Row(label='stolen card'), Row(label=None)]
    """
    task = ZeroShot(labels, hypothesis_template, multi_label)
    return score_column(task, [text], model)


def scores(
    text: str | Column,
    labels: Iterable[str],
    *,
    hypothesis_template: str = DEFAULT_TEMPLATE,
    multi_label: bool = False,
    model: Model = None,
) -> Column:
    """The score of every label, in fixed order.

    Parameters are those of ``classify``.

    Returns
    -------
    Column
        A struct with one double per label, named by it: ``select("s.*")`` gives columns.

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("my card was stolen",)], "text string")
    >>> s = zs.scores("text", ["stolen card", "exchange rate"], model="starter")
    >>> df.select(s.alias("s")).select("s.*").columns
    ['stolen card', 'exchange rate']
    """
    task = ZeroShotScores(labels, hypothesis_template, multi_label)
    return score_column(task, [text], model)


def nli(premise: str | Column, hypothesis: str | Column, *, model: Model = None) -> Column:
    """Natural language inference on two text columns.

    Returns
    -------
    Column
        ``struct<label, score, entailment, neutral, contradiction>``; null where either text is
        null, empty or blank.

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("A man sleeps.", "A man is asleep.")], "p string, h string")
    >>> df.select(zs.nli("p", "h", model="starter")["label"].alias("label")).collect()
    [Row(label='entailment')]
    """
    return score_column(NLI(), [premise, hypothesis], model)


def score_column(task: Task, texts: list[str | Column], model: Model) -> Column:
    """The column of any task over text columns: ships the model and builds the UDF."""
    columns = [_text_column(text, name) for text, name in zip(texts, task.columns, strict=True)]
    shipped = ship(active_session(), model_spec(model))
    result: Column = _udf(task, shipped)(*columns)
    return result


def _text_column(text: str | Column, name: str) -> Column:
    from pyspark.sql import functions as F

    if isinstance(text, str):
        text = F.col(text)
    elif not _is_column(text):
        raise TypeError(f"{name}={text!r}: pass a column's name or a Column")
    # collate takes strings only, without a cast, and changes nothing: a column of another type
    # fails when the plan is analysed on the driver, not in a UDF that sees raw ints.
    return F.collate(text, "UTF8_BINARY")


def _is_column(value: Any) -> bool:
    return type(value).__module__.startswith("pyspark.") and type(value).__name__ == "Column"


def _udf(task: Task, shipped: ShippedModel) -> Any:
    from pyspark.sql.functions import arrow_udf
    from pyspark.sql.pandas.types import from_arrow_type

    task_json = task.to_json()

    def one(batches: Iterator[pa.Array]) -> Iterator[pa.Array]:
        yield from score_batches(shipped, task_json, ([batch] for batch in batches))

    def two(batches: Iterator[tuple[pa.Array, pa.Array]]) -> Iterator[pa.Array]:
        yield from score_batches(shipped, task_json, iter(batches))

    function = one if len(task.columns) == 1 else two
    function.__name__ = f"zs_{task.kind}"
    # Evaluated here: the closure's annotations are strings to Spark otherwise.
    function.__annotations__ = {
        "batches": Iterator[pa.Array] if function is one else Iterator[tuple[pa.Array, pa.Array]],
        "return": Iterator[pa.Array],
    }
    return arrow_udf(function, from_arrow_type(task.result_type))
