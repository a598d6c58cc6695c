"""Shipping and the worker's cache: one load per worker, weights shared between workers."""

from __future__ import annotations

import pytest

from sparknlp_zs import spark as zs
from sparknlp_zs.models import ModelSpec, model_spec
from sparknlp_zs.spark.shipping import ship
from sparknlp_zs.spark.workers import choose_device

LABELS = ["a", "b"]


@pytest.mark.parametrize(
    ("explicit", "addresses", "partition", "visible", "expected"),
    [
        ("cuda:3", ["0"], 0, 1, "cuda:3"),
        (None, ["2"], 0, 4, "cuda:2"),
        (None, [], 3, 2, "cuda:1"),
        (None, [], 3, 0, "cpu"),
        (None, ["0"], 3, 0, "cpu"),
    ],
)
def test_device(explicit, addresses, partition, visible, expected):
    assert choose_device(explicit, addresses, partition, visible) == expected


def test_classic_local_reads_the_folder_in_place(classic, tiny):
    shipped = ship(classic, model_spec(tiny))
    assert shipped.path == str(tiny)
    assert shipped.archive is None


def test_connect_ships_each_model_once_per_session(connect, tiny, monkeypatch):
    from pyspark.sql.connect.session import SparkSession

    sent = []
    original = SparkSession.addArtifacts

    def counting(self, *paths, **kinds):
        sent.append(paths)
        return original(self, *paths, **kinds)

    monkeypatch.setattr(SparkSession, "addArtifacts", counting)
    connect.conf.unset("sparknlp_zs.shipped." + ship(connect, model_spec(tiny)).archive)
    sent.clear()
    first = ship(connect, model_spec(tiny))
    again = ship(connect, model_spec(tiny))
    other = ship(connect, ModelSpec(str(tiny), dtype="bfloat16"))
    assert first == again
    assert first.archive != other.archive
    assert len(sent) == 2


def loads_and_mappings(spark, model):
    """On the workers: how often the model was loaded, and whether its weights are mapped."""
    from pyspark.sql.functions import col

    df = spark.range(8, numPartitions=4).selectExpr("id", "concat('text ', id) AS text")
    for _ in range(2):
        df.select(zs.classify(col("text"), LABELS, model=model)).collect()

    def probe(_: object):
        import os
        from pathlib import Path

        from sparknlp_zs.engine import cache

        maps = Path("/proc/self/smaps").read_text().split("\n")
        mapped = any("model.safetensors" in line for line in maps)
        for key in cache._scorers:
            yield os.getpid(), str(key.folder), mapped

    return spark.sparkContext.parallelize(range(4), 4).mapPartitions(probe).distinct().collect()


def test_worker_keeps_a_memory_mapped_model(classic, tiny):
    found = [x for x in loads_and_mappings(classic, tiny) if x[1] == str(tiny)]
    assert found
    assert len(found) == len({pid for pid, _, _ in found})
    assert all(mapped for _, _, mapped in found)
