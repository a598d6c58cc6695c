"""SQL functions: zs_classify, zs_scores, zs_nli, zs_task, zs_predict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sparknlp_zs.classifiers import ClassifierModel, classifier_of, read_classifier
from sparknlp_zs.models import Model, model_spec
from sparknlp_zs.spark.functions import task_udf
from sparknlp_zs.spark.heads import ship_with_heads
from sparknlp_zs.spark.shipping import ship
from sparknlp_zs.spark.udfs import registrable, sql_result
from sparknlp_zs.spark.versions import is_before_4
from sparknlp_zs.tasks import NLI, RowLabels, RowLabelScores, RowTasks
from sparknlp_zs.tasks.heads import CHOICES, PAIR, TEXT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LABELLED = "text STRING, labels ARRAY<STRING>, multi_label BOOLEAN DEFAULT false"
_PAIR = "premise STRING, hypothesis STRING"
_TASK = ("task", TEXT, "text STRING, task STRING")
_TASK_PAIR = ("task_pair", PAIR, "text STRING, text_pair STRING, task STRING")
_TASK_CHOICE = ("task_choice", CHOICES, "text STRING, choices ARRAY<STRING>, task STRING")


def register(spark: SparkSession, *, model: Model = None, prefix: str = "zs") -> None:
    """Register the SQL functions for a session.

    ``zs_classify(text, labels[, multi_label])``
        ``struct<label, score, labels, scores>``, as from ``zs.classify``.
    ``zs_scores(text, labels[, multi_label])``
        ``map<string, double>`` from label to score.
    ``zs_nli(premise, hypothesis)``
        ``struct<label, score, entailment, neutral, contradiction>``, as from ``zs.nli``.
    ``zs_task(text, task)``, ``zs_task_pair(text, text_pair, task)``,
    ``zs_task_choice(text, choices, task)``
        ``struct<label, score, labels, scores>``, as from ``zs.task``. Rows may differ in their
        task, and share batches all the same; a task that the adapter lacks fails the query. If
        the model has no adapter, any call fails, and says what is missing.

    ``labels`` is any expression of arrays of strings: rows may differ in them. The result is null
    where a text is null, empty or blank, the array null or empty, or ``multi_label`` null. An
    array with blank, null or duplicate labels fails the query with an error that names it.

    Arguments of other types are cast to strings, or refused before any job, as for Spark's own
    functions; ``multi_label => true`` works by name. The functions are temporary: usable in the
    session's queries and temporary views. Registering again replaces them. A filter on a score
    in an outer query makes Spark score twice: cache the scored table first.

    On Spark 3.5 the functions take all their arguments, by position and uncast, and a struct for
    a text that is not scored is a struct of nulls; those for tasks are missing if the model has no
    adapter.

    Parameters
    ----------
    spark : SparkSession
        Classic or Connect.
    model : str, path, ModelSpec or None
        None is the default model (``SPARKNLP_ZS_MODEL``, else the seed model). Register with
        another prefix to have a second model in the session.
    prefix : str
        Beginning of the functions' names.

    Raises
    ------
    ValueError
        If the prefix is no identifier, or the model no NLI model.
    ModelNotFoundError
        If there is no such model, or not the adapter that it names.

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> zs.register(spark, model="starter")
    >>> labels = "array('stolen card', 'exchange rate')"
    >>> spark.sql(f"SELECT zs_classify('my card was stolen', {labels}).label").first()[0]
    'stolen card'
    >>> scores = spark.sql(f"SELECT zs_scores('my card was stolen', {labels}, true)").first()[0]
    >>> sorted(scores)
    ['exchange rate', 'stolen card']
    """
    _check_prefix(prefix)
    shipped, no_heads = ship_with_heads(spark, model_spec(model))
    _create(spark, prefix, "classify", _LABELLED, task_udf(RowLabels(), shipped))
    _create(spark, prefix, "scores", _LABELLED, task_udf(RowLabelScores(), shipped))
    _create(spark, prefix, "nli", _PAIR, task_udf(NLI(), shipped))
    for name, columns, parameters in (_TASK, _TASK_PAIR, _TASK_CHOICE):
        _create(spark, prefix, name, parameters, task_udf(RowTasks(columns), shipped), no_heads)


def register_predict(spark: SparkSession, model: ClassifierModel, *, prefix: str = "zs") -> None:
    """Register the SQL function of a classifier for a session.

    ``zs_predict(text)``
        ``struct<label, score, labels, scores>``, as from ``zs.predict``.

    Parameters
    ----------
    spark : SparkSession
        Classic or Connect.
    model : str, path or ModelSpec
        As for ``zs.predict``.
    prefix : str
        Beginning of the function's name: another one for each model.

    Raises
    ------
    TypeError, ValueError
        If the prefix is no identifier, or the model no classifier.
    ModelNotFoundError
        If there is no such model.

    Examples
    --------
    With ``model`` the folder of a classifier of moods:

    >>> from sparknlp_zs import spark as zs
    >>> zs.register_predict(spark, model, prefix="mood")
    >>> found = spark.sql("SELECT mood_predict('a fine film') AS mood").first()["mood"]
    >>> found["label"] in ("sad", "neutral", "glad")
    True
    """
    _check_prefix(prefix)
    task, spec = classifier_of(model)
    udf = task_udf(task, ship(spark, spec, read_classifier))
    _create(spark, prefix, "predict", "text STRING", udf)


def _create(
    spark: SparkSession,
    prefix: str,
    name: str,
    parameters: str,
    udf: Any,
    failure: str | None = None,
) -> None:
    """A SQL function around the UDF: a UDF alone has no typed, named or optional arguments.

    With a ``failure`` the function exists, and any call of it fails with this message.
    """
    if is_before_4():  # no SQL functions yet
        if failure is None:
            spark.udf.register(f"{prefix}_{name}", registrable(udf))
        return
    kind = udf.returnType.simpleString()
    if failure is None:
        inner = f"_{prefix}_{name}"
        spark.udf.register(inner, registrable(udf))
        names = ", ".join(parameter.split()[0] for parameter in parameters.split(", "))
        body = sql_result(udf, f"{inner}({names})")
    else:
        message = failure.replace("\\", "\\\\").replace("'", "\\'")
        body = f"CAST(raise_error('{message}') AS {kind})"
    spark.sql(
        f"CREATE OR REPLACE TEMPORARY FUNCTION {prefix}_{name}({parameters}) "
        f"RETURNS {kind} RETURN {body}"
    )


def _check_prefix(prefix: str) -> None:
    if not isinstance(prefix, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", prefix):
        raise ValueError(f"prefix={prefix!r}: use letters, digits and _, such as 'zs'")
