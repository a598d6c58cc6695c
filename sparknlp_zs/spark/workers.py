"""What runs on the workers: the device, the cached scorer, the stream of batches."""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from sparknlp_zs.engine.memory import OF_A_WORKER, bound_kernel_caches
from sparknlp_zs.tasks import task_from_json

if TYPE_CHECKING:
    from sparknlp_zs.engine.rows import Columns
    from sparknlp_zs.engine.scorer import Scored, Scorer
    from sparknlp_zs.spark.shipping import ShippedModel

B = TypeVar("B")
R = TypeVar("R")

# Columns that carry what a row's scoring took, to be aggregated and dropped.
MEASURES = {"_zs_missing": pa.bool_(), "_zs_truncated": pa.bool_(), "_zs_seconds": pa.float64()}


def score_batches(
    shipped: ShippedModel, task_json: str, batches: Iterator[Columns]
) -> Iterator[pa.Array]:
    """One result per row, batch by batch; the model stays loaded for the next task."""
    scorer = worker_scorer(shipped)
    yield from scorer.score_stream(task_from_json(task_json), batches)


def score_table(
    shipped: ShippedModel, task_json: str, names: list[str], batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Batches whose last column, the text, is replaced by the fields of the task's result.

    ``names`` are those of all columns; the columns of ``MEASURES`` are given if named.
    """
    scorer, task = worker_scorer(shipped), task_from_json(task_json)
    score = partial(scorer.measure_stream, task)
    for batch, scored in with_results(batches, lambda batch: [batch.columns[-1]], score):
        columns = [*batch.columns[:-1], *scored.result.flatten()]
        if len(columns) < len(names):
            columns += _measures(scored)
        yield pa.RecordBatch.from_arrays(columns, names=names)


def with_results(
    batches: Iterator[B],
    inputs: Callable[[B], Columns],
    score: Callable[[Iterator[Columns]], Iterator[R]],
) -> Iterator[tuple[B, R]]:
    """Each batch with the result of its inputs; the scoring may look ahead over batches.

    Examples
    --------
    >>> def all_at_once(batches):
    ...     for batch in list(batches):
    ...         yield sum(batch)
    >>> list(with_results(iter([(1, 2), (3,)]), list, all_at_once))
    [((1, 2), 3), ((3,), 3)]
    """
    waiting: deque[B] = deque()

    def taken() -> Iterator[Columns]:
        for batch in batches:
            waiting.append(batch)
            yield inputs(batch)

    for result in score(taken()):
        yield waiting.popleft(), result


def _measures(scored: Scored) -> list[pa.Array]:
    rows = len(scored.result)
    seconds = pa.array([scored.seconds / max(1, rows)] * rows, pa.float64())
    return [scored.result.is_null(), scored.truncated, seconds]


def worker_scorer(shipped: ShippedModel) -> Scorer:
    """The worker's scorer of a model, loaded at first use."""
    # A worker has its share of the cores: tokenizers would otherwise take all of them.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    bound_kernel_caches(OF_A_WORKER)
    from sparknlp_zs.engine.cache import ScorerKey, scorer_for

    device = worker_device(shipped.device)
    key = ScorerKey(
        folder=shipped.folder(),
        content=shipped.content,
        dtype=shipped.dtype,
        device=device,
        max_length=shipped.max_length,
    )
    # Spark may give a worker another GPU with each task.
    return scorer_for(key, one_gpu=shipped.device is None, check=shipped.check_content)


def worker_device(explicit: str | None) -> str:
    """The device of this task; not measured on a GPU."""
    import torch
    from pyspark import TaskContext

    context = TaskContext.get()
    resources = context.resources() if context else {}
    addresses = resources["gpu"].addresses if "gpu" in resources else []
    mask = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = torch.cuda.device_count()
    return choose_device(explicit, addresses, first_partition(), visible, mask)


@functools.cache
def first_partition() -> int:
    """The partition that this worker served first.

    A worker serves many: where Spark assigns no GPUs, it stays with the one of its first.
    """
    from pyspark import TaskContext

    context = TaskContext.get()
    return context.partitionId() if context else 0


def choose_device(
    explicit: str | None,
    addresses: Sequence[str],
    partition: int,
    visible: int,
    mask: str | None = None,
) -> str:
    """Explicit, else the GPU that Spark assigned, else visible GPUs in turn, else the CPU.

    Parameters
    ----------
    explicit : str or None
        The device that the caller named.
    addresses : sequence of str
        The GPUs of the task, from its TaskContext; the first is taken.
    partition : int
        The task's partition.
    visible : int
        How many GPUs the process sees.
    mask : str or None
        ``CUDA_VISIBLE_DEVICES``: with it, torch counts the GPUs in its order.

    Raises
    ------
    ValueError
        If the assigned GPU is none of those that the process sees.

    Examples
    --------
    >>> choose_device(None, ["1"], partition=5, visible=2)
    'cuda:1'
    >>> choose_device(None, ["6"], partition=5, visible=2, mask="4,6")
    'cuda:1'
    >>> choose_device(None, [], partition=5, visible=2)
    'cuda:1'
    >>> choose_device(None, [], partition=5, visible=0)
    'cpu'
    """
    if explicit is not None:
        return explicit
    if not visible:
        return "cpu"
    if addresses:
        return f"cuda:{_position(addresses[0], visible, mask)}"
    return f"cuda:{partition % visible}"


def _position(address: str, visible: int, mask: str | None) -> int:
    """Where torch counts the GPU with an address of Spark's."""
    shown = [name.strip() for name in mask.split(",")][:visible] if mask else []
    if address in shown:
        return shown.index(address)
    if address.isdecimal() and int(address) < visible:
        return int(address)
    raise ValueError(
        f"Spark assigned GPU {address!r} to this task, but the worker sees {visible} GPUs "
        f"(CUDA_VISIBLE_DEVICES={mask!r}); correct the GPU discovery script, or name the device "
        "with ModelSpec(device=...)"
    )
