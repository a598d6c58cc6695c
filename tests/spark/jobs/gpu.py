"""local-cluster[1,2,1024] with two GPUs that a script makes up: who gets which device."""

from __future__ import annotations

import os
import shutil
from functools import partial

from common import arguments, frame, report, scored
from pyspark.sql import SparkSession

from sparknlp_zs.models import model_spec
from sparknlp_zs.spark.shipping import ship

MOST_JOBS = 40


def main(model: str, discovery: str) -> None:
    spark = (
        SparkSession.builder.master("local-cluster[1,2,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.executorEnv.PYTHONPATH", os.environ["PYTHONPATH"])
        .config("spark.worker.resource.gpu.amount", "2")
        .config("spark.worker.resource.gpu.discoveryScript", discovery)
        .config("spark.executor.resource.gpu.amount", "2")
        .config("spark.task.resource.gpu.amount", "1")
        .config("spark.driver.memory", "1g")
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    work = os.path.join(os.environ["SPARK_HOME"], "work", spark.sparkContext.applicationId)
    try:
        found = {"scores": scored(frame(spark, 80, 2), model)}
        found["tasks"] = placements(spark, model)
        report(found)
    finally:
        spark.stop()
        shutil.rmtree(work, ignore_errors=True)


def placements(spark, model) -> list[dict]:
    """Where the tasks of jobs would load the model, with eight visible GPUs.

    There are six jobs, and more until Spark has given a worker another GPU than before.
    """
    shipped = ship(spark, model_spec(model))

    def place(batches, slow):
        import os
        import time

        import pyarrow as pa
        import torch
        from pyspark import TaskContext

        from sparknlp_zs.engine import cache, loading
        from sparknlp_zs.spark.workers import worker_scorer

        context = TaskContext.get()
        torch.cuda.device_count = lambda: 8
        loading.load_scorer = lambda folder, dtype, device, max_length: device
        for _ in batches:
            start = time.time()
            loaded_on = worker_scorer(shipped)
            time.sleep(0.4 if context.partitionId() == slow else 0.1)
            held = [key.device for key in cache.cached_keys() if key.device != "cpu"]
            row = {
                "address": context.resources()["gpu"].addresses[0],
                "partition": context.partitionId(),
                "pid": os.getpid(),
                "device": loaded_on,
                "held": ",".join(held),
                "start": start,
                "end": time.time(),
            }
            yield pa.RecordBatch.from_pylist([row])

    schema = (
        "address string, partition long, pid long, device string, held string, "
        "start double, end double"
    )
    rows: list[dict] = []
    for job in range(MOST_JOBS):
        # Tasks end in turn in another order, so that the next job meets its workers in another.
        slow = partial(place, slow=job % 2)
        found = spark.range(0, 2, 1, 2).mapInArrow(slow, schema).collect()
        rows += [row.asDict() for row in found]
        moved = len({(x["pid"], x["device"]) for x in rows}) > len({x["pid"] for x in rows})
        if job >= 5 and moved:
            break
    return rows


if __name__ == "__main__":
    main(**arguments())
