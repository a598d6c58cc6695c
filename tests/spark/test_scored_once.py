"""How often rows are scored: counted where they are, on the workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import functions as F

from sparknlp_zs import spark as zs
from sparknlp_zs.spark import functions, workers

ROWS = 300
LABELS = ["travel", "cooking"]


@pytest.fixture
def scored_rows(tmp_path, monkeypatch):
    """Runs an action, and gives the number of rows that were scored for it."""
    folder = str(tmp_path)

    def counted(kind, batches, size):
        import os

        for batch in batches:
            with open(f"{folder}/{kind}-{os.getpid()}", "a") as file:
                file.write(f"{size(batch)}\n")
            yield batch

    def columns(shipped, task_json, batches):
        from sparknlp_zs.spark.workers import score_batches

        yield from score_batches(
            shipped, task_json, counted("column", batches, lambda batch: len(batch[0]))
        )

    def table(shipped, task_json, names, batches):
        from sparknlp_zs.spark.workers import score_table

        yield from score_table(shipped, task_json, names, counted("table", batches, len))

    import sys

    monkeypatch.setattr(functions, "score_batches", columns)
    monkeypatch.setattr(sys.modules["sparknlp_zs.spark.transform"], "score_table", table)

    def count(action):
        for path in Path(folder).iterdir():
            path.unlink()
        result = action()
        numbers = [int(n) for path in Path(folder).iterdir() for n in path.read_text().split()]
        return result, sum(numbers)

    return count


@pytest.fixture
def frame(spark):
    return spark.range(ROWS, numPartitions=3).selectExpr("id", "concat('text ', id) AS text")


def score(way, frame, model):
    """The frame with a column ``topic``, by one of the three ways."""
    if way == "transform":
        return zs.transform(frame, "text", topic=zs.ZeroShot(LABELS), model=model)
    topic = zs.classify("text", LABELS, model=model, once=way == "once")
    return frame.withColumn("topic", topic)


WAYS = ("column", "once", "transform")


@pytest.mark.parametrize("way", WAYS)
def test_filter_on_the_score(spark, frame, tiny, scored_rows, way):
    """A column is scored for the filter, and for the rows that pass it again."""
    scored = score(way, frame, tiny).where("topic.label = 'travel'")
    found, rows = scored_rows(lambda: scored.select("id", "topic.score").collect())
    assert 0 < len(found) < ROWS
    assert rows == (ROWS + len(found) if way == "column" else ROWS)


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("by_row", [False, True])
def test_filter_on_a_task_head(frame, tiny_heads, scored_rows, by_row, once):
    name = F.lit("glue/sst2") if by_row else "glue/sst2"
    scored = frame.withColumn("t", zs.task("text", name, model=tiny_heads, once=once))
    passing = scored.where("t.score < 0.9999")
    found, rows = scored_rows(lambda: passing.select("id", "t.label").collect())
    assert found
    assert rows == (ROWS if once else ROWS + len(found))


@pytest.mark.parametrize("way", WAYS)
def test_filter_on_another_column(spark, frame, tiny, scored_rows, way):
    """Written after the scoring, it is applied before a column only."""
    scored = score(way, frame, tiny).where("id < 10")
    found, rows = scored_rows(lambda: scored.select("id", "topic.score").collect())
    assert len(found) == 10
    assert rows == (10 if way == "column" else ROWS)
    before = score(way, frame.where("id < 10"), tiny).where("topic.score >= 0")
    found, rows = scored_rows(lambda: before.select("id", "topic.label").collect())
    assert len(found) == 10
    assert rows == (20 if way == "column" else 10)


@pytest.mark.parametrize("way", WAYS)
def test_several_fields_and_unused_result(spark, frame, tiny, scored_rows, way):
    scored = score(way, frame, tiny)
    wide = scored.select("id", "topic.label", F.col("topic.score") + 1, "topic.labels")
    assert scored_rows(wide.collect)[1] == ROWS
    _, rows = scored_rows(lambda: scored.select("id").collect())
    assert rows == (ROWS if way == "transform" else 0)


@pytest.mark.parametrize("way", WAYS)
def test_sorting_by_the_score(spark, frame, tiny, scored_rows, way):
    """The sort samples its input first: persist before it."""
    scored = score(way, frame, tiny)
    assert scored_rows(scored.orderBy("topic.score").collect)[1] == 2 * ROWS
    kept = scored.persist()
    try:
        assert scored_rows(kept.orderBy("topic.score").collect)[1] == ROWS
        assert scored_rows(kept.where("topic.score > 0").collect)[1] == 0
    finally:
        kept.unpersist()


def test_observed_transform_scores_once(spark, frame, tiny, scored_rows):
    from pyspark.sql import Observation

    metrics = Observation()
    scored = zs.transform(
        frame, "text", topic=zs.ZeroShot(LABELS), model=tiny, observation=metrics
    ).where("topic.score > 0 AND id < 10")
    found, rows = scored_rows(lambda: scored.select("id").collect())
    assert (len(found), rows, metrics.get["rows"]) == (10, ROWS, ROWS)
    assert workers.MEASURES.keys().isdisjoint(scored.columns)
