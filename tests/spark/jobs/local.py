"""local[2,4] with the preloading daemon: where imports happen, scores, faults."""

from __future__ import annotations

import os

from common import arguments, frame, read_marks, report, scored, scored_with_fault
from pyspark.sql import SparkSession


def origin(_) -> dict:
    """Seen from a worker before it imports anything of its own."""
    import sys

    def read(path):
        with open(f"/proc/{os.getppid()}/{path}", "rb") as file:
            return file.read().decode(errors="replace")

    modules = ("torch", "sparknlp_zs.engine.loading", "transformers.models.auto.tokenization_auto")
    return {
        "imported": [name in sys.modules for name in modules],
        "daemon": read("cmdline").split("\0"),
        "torch_in_daemon": "libtorch_cpu" in read("maps"),
        "cuda": sys.modules["torch"].cuda.is_initialized(),
    }


def main(model: str, marks: str) -> None:
    spark = (
        SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.python.daemon.module", "sparknlp_zs.spark.preload")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "500")
        .config("spark.driver.memory", "1g")
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    try:
        found = {"origin": spark.sparkContext.parallelize([0], 1).map(origin).first()}
        df = frame(spark, 20_000, 4)
        found["plain"] = scored(df, model)
        found["kill"] = scored_with_fault(df, model, "kill", marks)
        found["raise"] = scored_with_fault(df, model, "raise", marks)
        found["marks"] = read_marks(marks)
        report(found)
    finally:
        spark.stop()


if __name__ == "__main__":
    main(**arguments())
