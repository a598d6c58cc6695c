"""Several tasks over one text, as one Spark column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sparknlp_zs.engine.adapters import annotation_with_heads
from sparknlp_zs.models import Model
from sparknlp_zs.spark.functions import score_column
from sparknlp_zs.spark.session import active_session, refuse_twins
from sparknlp_zs.tasks import NamedTask

if TYPE_CHECKING:
    from pyspark.sql import Column


def annotate(
    text: str | Column,
    tasks: Mapping[str, NamedTask] | None = None,
    /,
    *,
    model: Model = None,
    once: bool = False,
    **named: NamedTask,
) -> Column:
    """Several tasks over one text column, in one column.

    The column is computed by one UDF: a worker has one model for all tasks, task heads included,
    and tokenises each text once (once more for the heads). Two columns of ``zs.classify`` in one
    select run in two workers, with a model each.

    Parameters
    ----------
    text : str or Column
        A string column.
    tasks : mapping of str to task, optional
        The struct's fields and their tasks; ``TaskHead(name)`` for a task of the model's adapter.
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
    ModelNotFoundError
        If there is no such model, or no adapter for task heads; before any job.

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
    task, model = annotation_with_heads(tasks, named, model)
    refuse_twins([name for name, _ in task.tasks], active_session())
    return score_column(task, [text], model, once=once)
