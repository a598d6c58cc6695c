"""What the jobs share: a scored column checked row by row, and faults in the scoring worker."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from sparknlp_zs import spark as zs
from sparknlp_zs.spark import shipping
from sparknlp_zs.spark.shipping import ShippedModel

MARK = "RESULT "
LABELS = ["travel", "cooking"]
TEXTS = [f"text number {i}" for i in range(40)]


def arguments() -> dict:
    return json.loads(sys.argv[1])


def report(found: dict) -> None:
    sys.stdout.write(MARK + json.dumps(found) + "\n")


@contextlib.contextmanager
def two_executors(**config: str):
    """A session in local-cluster[2,1,1024]."""
    builder = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.executorEnv.PYTHONPATH", os.environ["PYTHONPATH"])
        .config("spark.driver.memory", "1g")
        .config("spark.log.level", "OFF")
    )
    for name, value in config.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    work = os.path.join(os.environ["SPARK_HOME"], "work", spark.sparkContext.applicationId)
    try:
        yield spark
    finally:
        spark.stop()
        shutil.rmtree(work, ignore_errors=True)


def read_marks(folder: str) -> list[str]:
    """The faults that happened."""
    return sorted(path.name for path in Path(folder).iterdir())


def frame(spark, rows: int, partitions: int):
    text = f"concat('text number ', id % {len(TEXTS)}) AS text"
    return spark.range(0, rows, 1, partitions).selectExpr("id", text)


def scored(df, model) -> dict:
    """How many rows came back, how many ids, and all that was found for each text."""
    column = zs.classify("text", LABELS, model=model)
    rows = df.select("id", "text", column.alias("c")).collect()
    found = {}
    for row in rows:
        values = found.setdefault(row["text"], [])
        value = [row["c"]["label"], row["c"]["score"]]
        if value not in values:
            values.append(value)
    return {"rows": len(rows), "ids": len({row["id"] for row in rows}), "found": found}


def scored_with_fault(df, model, fault: str, marks: str) -> dict:
    """As ``scored``, with a fault in one task, after that task gave out its first rows."""

    class FaultyModel(ShippedModel):
        def folder(self) -> Path:
            break_second_window(fault, marks)
            return super().folder()

    shipping.ShippedModel = FaultyModel
    try:
        return scored(df, model)
    finally:
        shipping.ShippedModel = ShippedModel


def break_second_window(fault: str, marks: str) -> None:
    """Let this worker die, or raise, when it scores its second window in task 1, attempt 0."""
    from pyspark import TaskContext

    from sparknlp_zs.engine.scorer import Scorer

    context = TaskContext.get()
    if context.partitionId() != 1 or context.attemptNumber() > 0:
        return
    original, windows = Scorer._logits, []

    def logits(self, *arguments):
        if not windows:
            windows.append(1)
            return original(self, *arguments)
        Scorer._logits = original
        Path(marks, fault).touch()
        if fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError("a fault made by the test")

    Scorer._logits = logits


def cached(df) -> list[dict]:
    """What the workers' caches hold."""

    def probe(batches):
        import os

        import pyarrow as pa

        from sparknlp_zs.engine.cache import cached_keys

        for _ in batches:
            keys = [(os.getpid(), str(key.folder), key.content) for key in cached_keys()]
            names = ["pid", "folder", "content"]
            columns = [pa.array([key[i] for key in keys]) for i in range(3)]
            if keys:
                yield pa.RecordBatch.from_arrays(columns, names)

    found = df.mapInArrow(probe, "pid long, folder string, content string").distinct().collect()
    return [row.asDict() for row in found]
