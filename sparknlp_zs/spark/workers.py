"""What runs on the workers: the device, the cached scorer, the stream of batches."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sparknlp_zs.tasks import task_from_json

if TYPE_CHECKING:
    import pyarrow as pa

    from sparknlp_zs.engine.rows import Columns
    from sparknlp_zs.engine.scorer import Scorer
    from sparknlp_zs.spark.shipping import ShippedModel


def score_batches(
    shipped: ShippedModel, task_json: str, batches: Iterator[Columns]
) -> Iterator[pa.Array]:
    """One result per row, batch by batch; the model stays loaded for the next task."""
    scorer = worker_scorer(shipped)
    yield from scorer.score_stream(task_from_json(task_json), batches)


def worker_scorer(shipped: ShippedModel) -> Scorer:
    """The worker's scorer of a model, loaded at first use."""
    # A worker has its share of the cores: tokenizers would otherwise take all of them.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from sparknlp_zs.engine.cache import ScorerKey, scorer_for

    return scorer_for(
        ScorerKey(
            folder=shipped.folder(),
            content=shipped.content,
            dtype=shipped.dtype,
            device=worker_device(shipped.device),
            max_length=shipped.max_length,
        )
    )


def worker_device(explicit: str | None) -> str:
    """The device of this task; not measured on a GPU."""
    import torch
    from pyspark import TaskContext

    context = TaskContext.get()
    resources = context.resources() if context else {}
    addresses = resources["gpu"].addresses if "gpu" in resources else []
    partition = context.partitionId() if context else 0
    return choose_device(explicit, addresses, partition, torch.cuda.device_count())


def choose_device(
    explicit: str | None, addresses: Sequence[str], partition: int, visible: int
) -> str:
    """Explicit, else the GPU that Spark assigned, else visible GPUs in turn, else the CPU.

    Examples
    --------
    >>> choose_device(None, ["1"], partition=5, visible=2)
    'cuda:1'
    >>> choose_device(None, [], partition=5, visible=2)
    'cuda:1'
    >>> choose_device(None, [], partition=5, visible=0)
    'cpu'
    """
    if explicit is not None:
        return explicit
    if addresses and visible:
        return f"cuda:{addresses[0]}"
    return f"cuda:{partition % visible}" if visible else "cpu"
