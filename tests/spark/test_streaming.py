"""Structured Streaming: every row scored exactly once, also after a failure and a restart."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pyspark.sql import functions as F
from surface_rows import LABELS, ROWS

from sparknlp_zs import spark as zs
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import ZeroShot

SCHEMA = "i int, text string, labels array<string>"
GOOD, POISON = ["one", "two"], ["twice", "twice"]  # duplicate labels of a row fail the job


def add_file(folder, number, labels=GOOD):
    """File ``number`` holds every third row."""
    folder.mkdir(exist_ok=True)
    rows = [
        {"i": i, "text": text, "labels": labels} for i, text in enumerate(ROWS) if i % 3 == number
    ]
    (folder / f"{number}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(spark, root, model):
    """Score the files that are new, one file per micro-batch."""
    stream = spark.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 1).json(str(root / "in"))
    scored = stream.select(
        "i",
        zs.classify("text", LABELS, model=model).alias("fixed"),
        zs.classify("text", F.col("labels"), model=model).alias("own"),
    )
    query = (
        scored.writeStream.format("parquet")
        .option("checkpointLocation", str(root / "checkpoint"))
        .trigger(availableNow=True)
        .start(str(root / "out"))
    )
    query.awaitTermination()


def written(spark, root):
    return {row["i"]: row for row in rows(spark, root)}


def rows(spark, root):
    found = spark.read.parquet(str(root / "out")).collect()
    assert len({row["i"] for row in found}) == len(found)
    return found


def rows_of(*numbers):
    return {i for i in range(len(ROWS)) if i % 3 in numbers}


def test_restarts_score_each_row_exactly_once(spark, tiny, tmp_path):
    add_file(tmp_path / "in", 0)
    run(spark, tmp_path, tiny)
    assert written(spark, tmp_path).keys() == rows_of(0)

    add_file(tmp_path / "in", 1, POISON)
    with pytest.raises(Exception, match="more than once"):
        run(spark, tmp_path, tiny)
    assert written(spark, tmp_path).keys() == rows_of(0)

    add_file(tmp_path / "in", 1)
    add_file(tmp_path / "in", 2)
    for _ in range(2):  # the second run finds nothing new
        run(spark, tmp_path, tiny)
        found = written(spark, tmp_path)
        assert found.keys() == rows_of(0, 1, 2)

    scorer = load_scorer(tiny)
    for name, labels in (("fixed", LABELS), ("own", GOOD)):
        expected = scorer.score(ZeroShot(labels), [pa.array(ROWS)]).to_pylist()
        for i, score in enumerate(expected):
            if score is None:
                assert found[i][name] is None
            else:
                assert found[i][name]["label"] == score["label"]
                assert found[i][name]["scores"] == pytest.approx(score["scores"], abs=1e-6)
