"""Spark columns of task heads, and the listing of a model's tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sparknlp_zs.engine.adapters import (
    ADAPTER_REMEDY,
    adapter_folder,
    adapter_tasks,
    local_model,
    names_tasks,
    resolve_head,
)
from sparknlp_zs.models import Model, ModelNotFoundError, ModelSpec, model_folder, model_spec
from sparknlp_zs.spark.functions import _is_column, _task_column, score_column, text_column
from sparknlp_zs.spark.shipping import ShippedModel, ship
from sparknlp_zs.spark.versions import string_only
from sparknlp_zs.tasks import ChoiceTask, HeadTask, PairHeadTask, RowTasks, TaskHead
from sparknlp_zs.tasks.heads import CHOICES, PAIR, TEXT

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

tasks = adapter_tasks


def task(
    text: str | Column,
    name: str | Column,
    *,
    text_pair: str | Column | None = None,
    choices: str | Column | None = None,
    kind: str | None = None,
    model: Model = None,
    once: bool = False,
) -> Column:
    """A ready-made task head on texts, pairs of texts, or texts with choices.

    Parameters
    ----------
    text : str or Column
        A string column.
    name : str or Column
        A task of the model's adapter, such as "glue/sst2"; ``tasks(model)`` lists them. A string
        Column gives each row its own (null where it is null or blank; the job fails at a task
        that the adapter lacks): rows of different tasks share batches.
    text_pair : str, Column or None
        A string column with the second text.
    choices : str, Column or None
        A column of arrays of strings, for a multiple-choice task.
    kind : {"classification", "regression", "multiple_choice"} or None
        None reads it from the adapter.
    model : str, path, ModelSpec or None
        None is the default model. Its adapter is found by the model's name, or given as
        ``ModelSpec(model, adapter=...)``.
    once : bool
        As for ``classify``: True scores each row once, also for a filter on the result.

    Returns
    -------
    Column
        ``struct<label: string, score: double, labels: array<string>, scores: array<double>>``.
        Classification: the likeliest class, its probability, and all classes in descending order.
        Multiple choice: the same with the row's choices. Regression: the value as ``score``, the
        rest null. Null where any of the texts or choices is null, empty or blank, or there are no
        choices.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, the adapter lacks the task or does not fit the model; before any
        job.
    ModelNotFoundError
        If there is no such model or no adapter; before any job.
    pyspark.errors.AnalysisException
        From the DataFrame method, if a column is missing or of another type; before any job.

    Examples
    --------
    With ``model`` a DeBERTa that has an adapter:

    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("a fine film",), ("",)], "text string")
    >>> found = df.select(zs.task("text", "glue/sst2", model=model).alias("t")).collect()
    >>> found[0]["t"]["label"] in ("negative", "positive"), found[1]["t"]
    (True, None)
    """
    if text_pair is not None and choices is not None:
        raise ValueError(f"text_pair={text_pair!r}, choices={choices!r}: pass one of them")
    columns = CHOICES if choices is not None else TEXT if text_pair is None else PAIR
    inputs = [x for x in (text, text_pair, choices) if x is not None]
    if _is_column(name):
        return _column_of_tasks(columns, [*inputs, name], kind, model, once)
    return head_column(TaskHead(name, kind, columns), inputs, model, once=once)


def _column_of_tasks(
    columns: tuple[str, ...],
    inputs: list[str | Column],
    kind: str | None,
    model: Model,
    once: bool,
) -> Column:
    if kind is not None:
        raise ValueError(f"kind={kind!r}: with a column of tasks the adapter tells their kinds")
    spec = model_spec(model)
    spec = replace(spec, adapter=str(adapter_folder(spec)))
    return _task_column(RowTasks(columns), _checked(inputs, (*columns, "name")), spec, once)


def head_column(
    head: TaskHead, inputs: list[str | Column], model: Model, *, once: bool = False
) -> Column:
    """The column of a head over its inputs; ``once`` as in ``score_column``."""
    found, spec = resolve_head(head, model)
    if head.columns != CHOICES:
        task = HeadTask(found) if head.columns == TEXT else PairHeadTask(found)
        return score_column(task, inputs, spec, once=once)
    return _task_column(ChoiceTask(found), _checked(inputs, head.columns), spec, once)


def _checked(inputs: list[str | Column], names: tuple[str, ...]) -> list[Column]:
    """The columns; of a wrong type they fail in the analysis."""
    return [
        _choice_column(column) if name == "choices" else text_column(column, name)
        for column, name in zip(inputs, names, strict=True)
    ]


def _choice_column(choices: str | Column) -> Column:
    from pyspark.sql import functions as F

    if isinstance(choices, str):
        choices = F.col(choices)
    elif not _is_column(choices):
        raise TypeError(f"choices={choices!r}: pass a column's name or a Column")
    return F.transform(choices, string_only)


def ship_with_heads(session: SparkSession, spec: ModelSpec) -> tuple[ShippedModel, str | None]:
    """Ship a model, with its task heads if there are any; else also why there are none.

    Raises
    ------
    ModelNotFoundError, ValueError
        If the model, or the adapter that the spec itself names, is missing or wrong.
    """
    if spec.adapter is not None:
        return ship(session, spec), None
    try:
        if local_model(spec) is None and not names_tasks(model_folder(spec)):
            raise ModelNotFoundError(
                f"model={spec.model!r}: its config.json names no tasks; {ADAPTER_REMEDY}"
            )
        return ship(session, replace(spec, adapter=str(adapter_folder(spec)))), None
    except (ModelNotFoundError, ValueError) as error:
        return ship(session, spec), str(error)
