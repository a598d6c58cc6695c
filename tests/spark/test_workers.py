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
            for key, scorer in cache._scorers.items():
                values = (os.getpid(), str(key.folder), id(scorer), mapped)
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
