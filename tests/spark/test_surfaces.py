"""Columns on classic Spark and Connect give the engine's scores, row for row."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from surface_rows import HYPOTHESES, LABELS, ROWS

import sparknlp_zs  # noqa: F401
from sparknlp_zs import spark as zs
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import NLI, ZeroShot, ZeroShotScores

TOLERANCE = 1e-6


@pytest.fixture
def frame(spark):
    rows = list(zip(range(len(ROWS)), ROWS, HYPOTHESES, strict=True))
    return spark.createDataFrame(rows, "i int, text string, hypothesis string")


def collected(df, column):
    """The column's structs as dicts, in the order of i; each row exactly once."""
    rows = df.select("i", column.alias("found")).collect()
    assert sorted(row["i"] for row in rows) == list(range(len(ROWS)))
    by_row = {row["i"]: row["found"] for row in rows}
    return [by_row[i] and by_row[i].asDict() for i in range(len(ROWS))]


def assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        for name in b or {}:
            value = b[name]
            numeric = isinstance(value, float) or name == "scores"
            assert a[name] == (pytest.approx(value, abs=TOLERANCE) if numeric else value)


@pytest.mark.parametrize("partitions", [1, 3, 60])
def test_classify(spark, frame, tiny, partitions):
    """With 60 partitions for 41 rows, some are empty."""
    expected = load_scorer(tiny).score(ZeroShot(LABELS), [pa.array(ROWS)]).to_pylist()
    df = frame.repartition(partitions)
    assert_equal(collected(df, zs.classify("text", LABELS, model=tiny)), expected)


@pytest.mark.parametrize("multi_label", [False, True])
def test_scores(spark, frame, tiny, multi_label):
    task = ZeroShotScores(LABELS, "Über {}?", multi_label)
    expected = load_scorer(tiny).score(task, [pa.array(ROWS)]).to_pylist()
    column = zs.scores(
        frame["text"], LABELS, hypothesis_template="Über {}?", multi_label=multi_label, model=tiny
    )
    assert_equal(collected(frame, column), expected)
    assert frame.select(column.alias("s")).select("s.*").columns == LABELS


def test_nli(spark, frame, tiny):
    columns = [pa.array(ROWS), pa.array(HYPOTHESES)]
    expected = load_scorer(tiny).score(NLI(), columns).to_pylist()
    assert_equal(collected(frame, zs.nli("text", "hypothesis", model=tiny)), expected)


def test_pandas_gives_the_same(spark, frame, tiny):
    expected = pd.Series(ROWS).zsc.scores(LABELS, model=tiny)
    found = collected(frame, zs.scores("text", LABELS, model=tiny))
    for row, (_, values) in zip(found, expected.iterrows(), strict=True):
        assert (
            values.isna().all()
            if row is None
            else row == pytest.approx(values.to_dict(), abs=TOLERANCE)
        )


def test_starter_model_and_two_models_in_one_session(spark, frame, tiny):
    both = frame.select(
        "i",
        zs.classify("text", LABELS, model="starter").alias("starter"),
        zs.classify("text", LABELS, model=tiny).alias("tiny"),
    )
    rows = {row["i"]: row for row in both.collect()}
    for name, model in (("starter", "starter"), ("tiny", tiny)):
        expected = pd.Series(ROWS).zsc.classify(LABELS, model=model)["label"]
        for i, label in expected.items():
            assert rows[i][name] is None if pd.isna(label) else rows[i][name]["label"] == label


def test_schema_and_empty_frame(spark, frame, tiny):
    column = zs.classify("text", LABELS, model=tiny).alias("c")
    schema = "struct<label:string,score:double,labels:array<string>,scores:array<double>>"
    assert frame.select(column).schema["c"].dataType.simpleString() == schema
    assert frame.where("i < 0").select(column).collect() == []


def test_large_texts_in_many_batches(spark, tiny):
    """More rows than one Arrow batch holds: order and count are kept."""
    df = spark.range(25_000, numPartitions=1).selectExpr("id", "concat('t', id % 7) AS text")
    column = zs.scores("text", ["a", "b"], model=tiny)["a"].alias("a")
    rows = df.select("id", column).collect()
    assert [row["id"] for row in rows] == list(range(25_000))
    expected = pd.Series([f"t{i}" for i in range(7)]).zsc.scores(["a", "b"], model=tiny)["a"]
    for row in rows[::997]:
        assert row["a"] == pytest.approx(expected[row["id"] % 7], abs=TOLERANCE)
