"""One contender in one Spark session: run as a process of its own, prints a line of JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import memory_of

MARK = "RESULT "
STEADY_WAIT_S = 1.0
WARM_ROWS = 4  # per worker, before a peer's steady run


@dataclass(frozen=True)
class Job:
    """What to run.

    Parameters
    ----------
    kind : {"imports", "pipeline", "predict", "zs", "process"}
        "process" is the engine without Spark.
    cores : int
        Workers, or threads without Spark.
    setting : str
        The dtype of the engine or the batch size of the pipeline.
    """

    kind: str
    cores: int
    setting: str
    model: str
    texts: list[str]
    labels: list[str]
    repeats: int


@dataclass(frozen=True)
class JobResult:
    """What was measured."""

    first_row_s: float
    seconds: list[float]
    pss_mb: list[float]  # of each Python worker
    private_mb: list[float]
    threads: list[str]  # OMP_NUM_THREADS of each worker
    best: list[tuple[str, float]]  # label and score of each text


def run(job: Job) -> JobResult:
    """Measure a job in this process."""
    return _without_spark(job) if job.kind == "process" else _with_spark(job)


def _with_spark(job: Job) -> JobResult:
    import pandas as pd
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master(f"local[{job.cores}]")
        .appName("benchmark")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "1g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )

    def frame(texts: list[str]) -> Any:
        rows = pd.DataFrame({"at": range(len(texts)), "text": texts})
        cached = spark.createDataFrame(rows).repartition(job.cores).cache()
        cached.count()
        return cached

    try:
        few, all_ = frame(job.texts[: job.cores]), frame(job.texts)
        warm = frame(_warm_texts(job))
        start = time.perf_counter()
        column = _column(job)
        few.select("at", column).collect()
        first = time.perf_counter() - start
        warm.select("at", column).collect()
        seconds = []
        for _ in range(job.repeats):
            start = time.perf_counter()
            found = all_.select("at", column).collect()
            seconds.append(time.perf_counter() - start)
        time.sleep(STEADY_WAIT_S)
        workers = _workers()
        memory = [memory_of(pid) for pid in workers]
        best = [(row["best"]["label"], row["best"]["score"]) for row in sorted(found)]
        return JobResult(
            first,
            seconds,
            [found["Pss"] for found in memory],
            [found["Private_Clean"] + found["Private_Dirty"] for found in memory],
            [_environment(pid).get("OMP_NUM_THREADS", "") for pid in workers],
            best,
        )
    finally:
        spark.stop()


def _warm_texts(job: Job) -> list[str]:
    # The engine chooses its batch size in its first batches, so a few rows do not warm it up.
    return job.texts if job.kind in ("zs", "process") else job.texts[-WARM_ROWS * job.cores :]


def _column(job: Job) -> Any:
    from benchmarks import spark_udfs
    from sparknlp_zs import spark as zs
    from sparknlp_zs.models import ModelSpec

    if job.kind == "zs":
        found = zs.classify("text", job.labels, model=ModelSpec(job.model, dtype=job.setting))
    elif job.kind == "pipeline":
        found = spark_udfs.pipeline_udf(job.model, job.labels, int(job.setting))("text")
    elif job.kind == "predict":
        found = spark_udfs.predict_udf(job.model, job.labels, int(job.setting))("text")
    else:
        found = spark_udfs.imports_udf()("text")
    return found.alias("best")


def _without_spark(job: Job) -> JobResult:
    import pyarrow as pa

    start = time.perf_counter()
    import torch

    from sparknlp_zs.engine.loading import load_scorer
    from sparknlp_zs.engine.prepared import prepared_folder
    from sparknlp_zs.tasks import ZeroShot

    torch.set_num_threads(job.cores)
    task = ZeroShot(job.labels)
    scorer = load_scorer(prepared_folder(Path(job.model), job.setting), job.setting)
    scorer.score(task, [pa.array(job.texts[:1])])
    first = time.perf_counter() - start
    scorer.score(task, [pa.array(_warm_texts(job))])
    seconds = []
    for _ in range(job.repeats):
        start = time.perf_counter()
        found = scorer.score(task, [pa.array(job.texts)])
        seconds.append(time.perf_counter() - start)
    best = list(
        zip(found.field("label").to_pylist(), found.field("score").to_pylist(), strict=True)
    )
    used = memory_of(os.getpid())
    private = used["Private_Clean"] + used["Private_Dirty"]
    return JobResult(first, seconds, [used["Pss"]], [private], [str(job.cores)], best)


def _workers() -> list[int]:
    """Python workers of this process's Spark: the daemon's children that hold a model."""
    import psutil

    children = psutil.Process().children(recursive=True)
    # Spark's replaced workers remain as zombies for a while.
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    daemons = {child.pid for child in alive if "pyspark.daemon" in " ".join(child.cmdline())}
    return sorted(child.pid for child in alive if child.ppid() in daemons)


def _environment(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


if __name__ == "__main__":
    found = run(Job(**json.loads(sys.stdin.read())))
    print(MARK + json.dumps(asdict(found)))
