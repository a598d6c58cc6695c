"""The worker's cache: one load per worker, weights shared between workers."""

from __future__ import annotations

from sparknlp_zs import spark as zs

LABELS = ["a", "b"]


def cached_models(spark, model):
    """Score on all workers, then ask them: (pid, folder, id of the scorer, weights mapped?)."""
    df = spark.range(8, numPartitions=4).selectExpr("concat('text ', id) AS text")
    df.select(zs.classify("text", LABELS, model=model)).collect()

    def probe(batches):
        import os
        from pathlib import Path

        import pyarrow as pa

        from sparknlp_zs.engine import cache

        for _ in batches:
            mapped = "model.safetensors" in Path("/proc/self/smaps").read_text()
            for key, loaded in cache._loaded.items():
                values = (os.getpid(), str(key.folder), id(loaded.scorer), mapped)
                yield pa.RecordBatch.from_pydict(
                    {name: [x] for name, x in zip(NAMES, values, strict=True)}
                )

    schema = "pid long, folder string, scorer long, mapped boolean"
    found = df.mapInArrow(probe, schema).distinct().collect()
    return [row for row in found if row["folder"] == str(model)]


NAMES = ("pid", "folder", "scorer", "mapped")


def test_workers_keep_one_memory_mapped_model(classic, tiny):
    first, second = cached_models(classic, tiny), cached_models(classic, tiny)
    assert all(row["mapped"] for row in first + second)
    before = {row["pid"]: row["scorer"] for row in first}
    again = [row for row in second if row["pid"] in before]
    assert again
    assert all(row["scorer"] == before[row["pid"]] for row in again)
