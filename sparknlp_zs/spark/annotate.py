"""Several tasks over one text, as one Spark column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sparknlp_zs.models import Model
from sparknlp_zs.spark.functions import score_column
from sparknlp_zs.tasks import FixedTask, named_tasks

if TYPE_CHECKING:
    from pyspark.sql import Column


def annotate(
    text: str | Column,
    tasks: Mapping[str, FixedTask] | None = None,
    /,
    *,
    model: Model = None,
    once: bool = False,
    **named: FixedTask,
) -> Column:
    """Several tasks over one text column, in one column.

    The column is computed by one UDF: a worker has one model for all tasks, and tokenises each
    text once. Two columns of ``zs.classify`` in one select run in two workers, with a model each.

    Parameters
    ----------
    text : str or Column
        A string column.
    tasks : mapping of str to task, optional
        The struct's fields and their tasks.
    model : str, path, ModelSpec or None
        None is the default model (``SPARKNLP_ZS_MODEL``, else the seed model).
    once : bool
        As for ``zs.classify``.
    **named : task
        Tasks by name, such as ``topic=ZeroShot([...])``; a name that is an argument here, or no
        identifier, goes into the mapping.

    Returns
    -------
    Column
        A struct with one field per task, named by it, with the result that the task has by
        itself. The struct is null where the text is null, empty or blank.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or a task is not over one text column; before any job.

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("my card was stolen",), ("",)], "text string")
    >>> found = zs.annotate(
    ...     "text",
    ...     topic=zs.ZeroShot(["stolen card", "exchange rate"]),
    ...     urgency=zs.ZeroShot(["urgent", "not urgent"], "This is {}."),
    ...     model="starter",
    ... )
    >>> df.select(found.alias("a")).select("a.topic.label").collect()
    [Row(label='stolen card'), Row(label=None)]
    """
    return score_column(named_tasks(tasks, named), [text], model, once=once)
