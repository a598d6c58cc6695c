"""Columns of arrays of texts: their elements are scored as one stream, with no shuffle."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparknlp_zs.spark.udfs import batch_udf
from sparknlp_zs.spark.workers import score_batches, with_results

if TYPE_CHECKING:
    from sparknlp_zs.engine.rows import Columns
    from sparknlp_zs.spark.shipping import ShippedModel
    from sparknlp_zs.tasks import Task

_TEXTS = pa.list_(pa.string())


def array_udf(task: Task, shipped: ShippedModel) -> Any:
    """The UDF from ``array<string>`` to an array with one result of the task per element.

    Null where the array is null; a result is null where the element is null, empty or blank.
    """
    score = partial(score_arrays, shipped, shipped.task_json(task))
    return batch_udf(score, f"zs_{task.kind}_array", [_TEXTS], pa.list_(task.result_type))


def score_arrays(
    shipped: ShippedModel, task_json: str, batches: Iterator[Columns]
) -> Iterator[pa.ListArray]:
    """Score batches of one column of lists, on a worker."""
    score = partial(score_batches, shipped, task_json)
    for (lists,), scored in with_results(batches, lambda batch: [batch[0].flatten()], score):
        yield like_lists(lists, scored)


def like_lists(lists: pa.ListArray, values: pa.Array) -> pa.ListArray:
    """New values in lists of the same lengths, null where these are.

    Examples
    --------
    >>> lists = pa.array([["a", "b"], None, [], ["c"]])
    >>> like_lists(lists, pa.array([1, 2, 3])).to_pylist()
    [[1, 2], None, [], [3]]
    """
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    null = lists.is_null().to_numpy(zero_copy_only=False)
    # A list is null where its first offset is.
    offsets = pa.array(np.append(0, np.cumsum(lengths)), pa.int32(), mask=np.append(null, False))
    return pa.ListArray.from_arrays(offsets, values)
