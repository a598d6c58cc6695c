"""Spark columns and SQL functions of trained classifiers: predict, predict_scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparknlp_zs.classifiers import ClassifierModel, classifier_of, read_classifier
from sparknlp_zs.models import ModelSpec
from sparknlp_zs.spark.functions import task_udf, text_column
from sparknlp_zs.spark.session import active_session
from sparknlp_zs.spark.shipping import ship
from sparknlp_zs.tasks import Classifier, ClassifierScores

if TYPE_CHECKING:
    from pyspark.sql import Column


def predict(text: str | Column, model: ClassifierModel, *, once: bool = False) -> Column:
    """The likeliest class of each text, by a model that was trained on these classes.

    Parameters
    ----------
    text : str or Column
        A string column.
    model : str, path or ModelSpec
        Folder or hub id of a sequence classifier in Hugging Face's format, as a fine-tuning saves
        it. Its ``id2label`` names the classes.
    once : bool
        As for ``classify``.

    Returns
    -------
    Column
        ``struct<label: string, score: double, labels: array<string>, scores: array<double>>``,
        the arrays in descending order of probability: a softmax over the classes, or the sigmoid
        of each class alone if the model's ``problem_type`` is "multi_label_classification". Null
        where the text is null, empty or blank. Long texts are cut as by
        ``tokenizer(text, truncation=True)``.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or the model is no classifier, a regression or an NLI model;
        before any job.
    ModelNotFoundError
        If there is no such model; before any job.
    pyspark.errors.AnalysisException
        From the DataFrame method, if the column is missing or no string; before any job.

    Examples
    --------
    With ``model`` the folder of a classifier of moods:

    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("a fine film",), ("",)], "text string")
    >>> found = df.select(zs.predict("text", model).alias("mood")).collect()
    >>> found[0]["mood"]["label"] in ("sad", "neutral", "glad"), found[1]["mood"]
    (True, None)
    """
    return classifier_column(text, *classifier_of(model), once=once)


def predict_scores(text: str | Column, model: ClassifierModel, *, once: bool = False) -> Column:
    """The probability of every class, in the model's order.

    Parameters are those of ``predict``.

    Returns
    -------
    Column
        A struct with one double per class, named by it: ``select("s.*")`` gives columns.

    Examples
    --------
    With ``model`` the folder of a classifier of moods:

    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("a fine film",)], "text string")
    >>> df.select(zs.predict_scores("text", model).alias("s")).select("s.*").columns
    ['sad', 'neutral', 'glad']
    """
    found, spec = classifier_of(model)
    task = ClassifierScores(found.labels, found.multi_label)
    return classifier_column(text, task, spec, once=once)


def classifier_column(
    text: str | Column, task: Classifier, spec: ModelSpec, *, once: bool = False
) -> Column:
    """The column of a classifier's task; ``once`` as for ``classify``."""
    column = text_column(text, "text")
    udf = task_udf(task, ship(active_session(), spec, read_classifier))
    result: Column = (udf.asNondeterministic() if once else udf)(column)
    return result
