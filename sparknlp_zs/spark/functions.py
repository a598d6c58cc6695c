"""Spark columns: classify, scores, nli."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sparknlp_zs.embedders import spec_for
from sparknlp_zs.models import Model
from sparknlp_zs.spark.session import active_session
from sparknlp_zs.spark.shipping import ShippedModel, ship
from sparknlp_zs.spark.udfs import Types, batch_udf, column_types
from sparknlp_zs.spark.versions import string_only
from sparknlp_zs.spark.workers import score_batches
from sparknlp_zs.tasks import NLI, TRUNCATE, LongText, RowLabels, Task
from sparknlp_zs.tasks.arguments import (
    LabelsOrTask,
    classify_task,
    row_labels_task,
    scores_task,
)
from sparknlp_zs.tasks.checks import Templates, Threshold
from sparknlp_zs.tasks.row_labels import DESCRIBED

if TYPE_CHECKING:
    from pyspark.sql import Column


def classify(
    text: str | Column,
    labels: LabelsOrTask | Column,
    *,
    hypothesis_template: Templates | None = None,
    multi_label: bool | None = None,
    threshold: Threshold | None = None,
    long_text: LongText | None = None,
    prefilter: int | None = None,
    descriptions: Column | None = None,
    model: Model = None,
    once: bool = False,
) -> Column:
    """Zero-shot classification of a text column.

    Parameters
    ----------
    text : str or Column
        A string column.
    labels : list of str, dict, ZeroShot, Hierarchy, or Column
        Candidate labels; a dict from label to description says this in the hypothesis; a dict
        from label to a list of labels is a ``Hierarchy``. A ``ZeroShot`` or ``Hierarchy`` has the
        other options too, which are then not given here. A Column of arrays gives each row its
        own (null where the array is null or empty; the job fails at an array with blanks or
        duplicates).
    hypothesis_template : str or list of str, optional
        Sentence with ``{}`` for the label, or several; "This example is {}." if not given.
    multi_label : bool, optional
        True: score each label by itself.
    threshold : float, or dict of str to float, optional
        From 0 to 1, for all labels or for each. The best label is null where no score reaches its
        threshold; all scores are given all the same.
    long_text : {"truncate", "chunk"} or Chunks, optional
        What becomes of a text that does not fit beside its hypotheses: it is cut at the end, or
        scored in chunks. "truncate" if not given.
    prefilter : int, optional
        Score only so many labels of each text, the nearest to it in meaning; see ``ZeroShot``.
    descriptions : Column, optional
        Only where ``labels`` is a Column: arrays as long, of what hypotheses say in the labels'
        places. Of a column of maps pass ``F.map_keys`` and ``F.map_values``.
    model : str, path, ModelSpec or None
        None is the default model (``SPARKNLP_ZS_MODEL``, else the seed model).
    once : bool
        False: Spark applies filters on other columns before it scores, wherever you write them;
        but for a filter on the result it scores all rows, and those that pass a second time.
        True: each row is scored once, also for a filter on the result; but filters that you write
        after the column are applied after it, so write them before.

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
    if _is_column(labels):
        rows, flag = row_labels_task(
            hypothesis_template=hypothesis_template,
            multi_label=multi_label,
            threshold=threshold,
            long_text=long_text,
            prefilter=prefilter,
        )
        return _label_column(rows, text, labels, descriptions, flag, model, once)  # type: ignore[arg-type]
    if descriptions is not None:
        raise TypeError(
            "descriptions: only for labels in a Column; else pass labels as a dict from label to "
            "description"
        )
    task = classify_task(
        labels,
        hypothesis_template=hypothesis_template,
        multi_label=multi_label,
        threshold=threshold,
        long_text=long_text,
        prefilter=prefilter,
    )
    return score_column(task, [text], model, once=once)


def scores(
    text: str | Column,
    labels: LabelsOrTask,
    *,
    hypothesis_template: Templates | None = None,
    multi_label: bool | None = None,
    long_text: LongText | None = None,
    prefilter: int | None = None,
    model: Model = None,
    once: bool = False,
) -> Column:
    """The score of every label, in fixed order.

    Parameters are those of ``classify``.

    Returns
    -------
    Column
        A struct with one double per label, named by it: ``select("s.*")`` gives columns. Leaves of
        a ``Hierarchy`` that were not scored have 0.0.

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("my card was stolen",)], "text string")
    >>> s = zs.scores("text", ["stolen card", "exchange rate"], model="starter")
    >>> df.select(s.alias("s")).select("s.*").columns
    ['stolen card', 'exchange rate']
    """
    task = scores_task(
        labels,
        hypothesis_template=hypothesis_template,
        multi_label=multi_label,
        long_text=long_text,
        prefilter=prefilter,
    )
    return score_column(task, [text], model, once=once)


def nli(
    premise: str | Column,
    hypothesis: str | Column,
    *,
    long_text: LongText = TRUNCATE,
    model: Model = None,
    once: bool = False,
) -> Column:
    """Natural language inference on two text columns.

    ``model`` and ``once`` are those of ``classify``.

    Parameters
    ----------
    long_text : {"truncate", "chunk"} or Chunks
        What becomes of pairs that are too long. "truncate": the longer text is cut first.
        "chunk": the premise is scored in chunks of at least half of the tokens, and the
        hypothesis cut to what they leave.

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
    return score_column(NLI(long_text=long_text), [premise, hypothesis], model, once=once)


def score_column(
    task: Task, texts: list[str | Column], model: Model, *, once: bool = False
) -> Column:
    """The column of any task over text columns: ships the model and builds the UDF.

    ``once`` as for ``classify``: a UDF that is called nondeterministic is never computed twice.
    """
    columns = [text_column(text, name) for text, name in zip(texts, task.columns, strict=True)]
    return _task_column(task, columns, model, once)


def _label_column(
    task: RowLabels,
    text: str | Column,
    labels: Column,
    descriptions: Column | None,
    multi_label: bool,
    model: Model,
    once: bool,
) -> Column:
    from pyspark.sql import functions as F

    names, types = F.transform(labels, string_only), column_types(task.columns)
    if descriptions is not None:
        if not _is_column(descriptions):
            raise TypeError(f"descriptions={descriptions!r}: pass a Column of arrays of strings")
        names = _described(names, F.transform(descriptions, string_only))
        types[task.columns.index("labels")] = DESCRIBED
    columns = [text_column(text, "text"), names, F.lit(multi_label)]
    return _task_column(task, columns, model, once, types)


def _described(labels: Column, descriptions: Column) -> Column:
    """A map; wrong labels fail the job by their names: Spark may be set to drop duplicates."""
    from pyspark.sql import functions as F

    good = (
        (F.size(F.array_distinct(labels)) == F.size(labels))
        & (F.size(labels) == F.size(descriptions))
        & ~F.exists(labels, lambda label: label.isNull())
    )
    error = F.concat(
        F.lit("labels="),
        labels.cast("string"),
        F.lit(" of a row with descriptions="),
        descriptions.cast("string"),
        F.lit(": give each label once, none null, and as many descriptions"),
    )
    found = F.when(good, F.map_from_arrays(labels, descriptions)).otherwise(F.raise_error(error))
    return F.when(labels.isNotNull() & descriptions.isNotNull(), found)


def _task_column(
    task: Task, columns: list[Column], model: Model, once: bool, types: Types | None = None
) -> Column:
    udf = task_udf(task, ship(active_session(), spec_for(task, model)), types)
    result: Column = (udf.asNondeterministic() if once else udf)(*columns)
    return result


def text_column(text: str | Column, name: str) -> Column:
    """A column that fails when the plan is analysed if it is no string; ``name``: the argument."""
    from pyspark.sql import functions as F

    if isinstance(text, str):
        text = F.col(text)
    elif not _is_column(text):
        raise TypeError(f"{name}={text!r}: pass a column's name or a Column")
    return string_only(text)


def _is_column(value: Any) -> bool:
    return type(value).__module__.startswith("pyspark.") and type(value).__name__ == "Column"


def task_udf(task: Task, shipped: ShippedModel, types: Types | None = None) -> Any:
    """The Arrow UDF of a task; ``types``: of its columns, where their names do not tell."""
    score = partial(score_batches, shipped, shipped.task_json(task))
    types = types or column_types(task.columns)
    return batch_udf(score, f"zs_{task.kind}", types, task.result_type)
