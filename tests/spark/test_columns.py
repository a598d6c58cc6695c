"""What columns do beyond one call's results: schemas, partitions, two models, many batches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pyarrow as pa
import pytest
from surface_rows import LABELS, ROWS
from surfaces import ROW_LABELS, TEMPLATE, assert_same, collected, frame

import sparknlp_zs  # noqa: F401
from sparknlp_zs import spark as zs
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import RowLabels

TOLERANCE = 1e-6


def test_empty_partitions(spark, tiny):
    """With 25 partitions for 11 rows, most are empty."""
    rows = frame(spark).where("i < 11").repartition(25)
    column = zs.classify("text", LABELS, model=tiny)
    found = {row["i"]: row["c"] for row in rows.select("i", column.alias("c")).collect()}
    expected = load_scorer(tiny).score(zs.ZeroShot(LABELS), [pa.array(ROWS[:11])]).to_pylist()
    assert_same([found[i] and found[i].asDict() for i in range(11)], expected)


def test_columns_made_in_other_threads(spark, tiny):
    """Spark's active session is that of a thread; other threads use the default one."""
    df = spark.createDataFrame([("the fox",)], "text string")

    def label():
        column = zs.classify("text", ["travel", "cooking"], model=tiny)
        return df.select(column["label"].alias("label")).first()["label"]

    with ThreadPoolExecutor(2) as pool:
        found = [future.result() for future in [pool.submit(label) for _ in range(2)]]
    assert found == [label()] * 2


@pytest.mark.parametrize("multi_label", [False, True])
def test_all_arguments(spark, tiny, multi_label):
    """Labels in a list and in a column take the same arguments."""
    rows = frame(spark)
    arguments = {"hypothesis_template": TEMPLATE, "multi_label": multi_label, "model": tiny}
    flags = pa.array([multi_label] * len(ROWS))
    for labels, given in ((LABELS, [LABELS] * len(ROWS)), (rows["labels"], ROW_LABELS)):
        column = zs.classify("text", labels, once=multi_label, **arguments)
        found = collected(rows.withColumn("found", column), "found")
        columns = [pa.array(ROWS), pa.array(given), flags]
        assert_same(found, load_scorer(tiny).score(RowLabels(TEMPLATE), columns).to_pylist())


def test_a_task_as_labels(spark, tiny):
    """Its options and descriptions reach the workers; see surfaces.py for lists of labels."""
    task = zs.ZeroShot({label: f"about {label}" for label in LABELS}, TEMPLATE, multi_label=True)
    both = frame(spark).select(
        "i",
        zs.classify("text", task, model=tiny).alias("classify"),
        zs.scores("text", task, model=tiny).alias("scores"),
    )
    scorer, texts = load_scorer(tiny), [pa.array(ROWS)]
    expected = scorer.score(task, texts).to_pylist()
    assert_same(collected(both, "classify"), expected)
    named = zs.ZeroShotScores(**task.arguments())
    assert_same(collected(both, "scores"), scorer.score(named, texts).to_pylist())


def test_templates_and_threshold_with_labels_in_a_column(spark, tiny):
    rows = frame(spark)
    limits = dict.fromkeys(LABELS, 0.4) | {"b": 1.0}
    column = zs.classify(
        "text", rows["labels"], hypothesis_template=["{}!", TEMPLATE], threshold=limits, model=tiny
    )
    found = collected(rows.withColumn("found", column), "found")
    task = RowLabels(["{}!", TEMPLATE], limits)
    columns = [pa.array(ROWS), pa.array(ROW_LABELS), pa.array([False] * len(ROWS))]
    expected = load_scorer(tiny).score(task, columns).to_pylist()
    assert_same(found, expected)
    assert any(row and row["label"] is None for row in expected)


@pytest.mark.parametrize("long_text", ["truncate", "chunk"])
def test_nli_of_a_hypothesis_that_is_too_long(spark, tiny, long_text):
    """Row in, row out."""
    premises = ["a man", "the fox", None, "My card " * 90]
    hypotheses = ["a", "fox " * 500, "x", "fox " * 500]
    data = list(zip(range(4), premises, hypotheses, strict=True))
    rows = spark.createDataFrame(data, "i int, p string, h string")
    column = zs.nli("p", "h", long_text=long_text, model=tiny)
    scored = sorted(rows.select("i", column.alias("found")).collect(), key=lambda row: row["i"])
    assert [row["i"] for row in scored] == list(range(4))
    columns = [pa.array(premises), pa.array(hypotheses)]
    expected = load_scorer(tiny).score(zs.NLI(long_text=long_text), columns).to_pylist()
    assert_same([row["found"] and row["found"].asDict() for row in scored], expected)
    assert [row is None for row in expected] == [False, False, True, False]


def test_starter_model_and_two_models_in_one_session(spark, tiny):
    both = frame(spark).select(
        "i",
        zs.classify("text", LABELS, model="starter")["label"].alias("starter"),
        zs.classify("text", LABELS, model=tiny)["label"].alias("tiny"),
    )
    found = collected(both, "starter", "tiny")
    for at, model in enumerate(("starter", tiny)):
        expected = pd.Series(ROWS).zsc.classify(LABELS, model=model)["label"]
        for row, label in zip(found, expected, strict=True):
            assert row[at] == (None if pd.isna(label) else label)


def test_schema_and_empty_frame(spark, tiny):
    rows = frame(spark)
    column = zs.classify("text", LABELS, model=tiny).alias("c")
    schema = "struct<label:string,score:double,labels:array<string>,scores:array<double>>"
    assert rows.select(column).schema["c"].dataType.simpleString() == schema
    assert rows.where("i < 0").select(column).collect() == []
    column = zs.scores("text", LABELS, model=tiny).alias("s")
    assert rows.select(column).select("s.*").columns == LABELS


@pytest.mark.parametrize("way", ["column", "transform"])
def test_more_rows_than_an_arrow_batch_holds(spark, tiny, way):
    df = spark.range(25_000, numPartitions=1).selectExpr("id", "concat('t', id % 7) AS text")
    if way == "column":
        scored = df.withColumn("s", zs.scores("text", ["a", "b"], model=tiny))
    else:
        scored = zs.transform(df, "text", s=zs.ZeroShotScores(["a", "b"]), model=tiny)
    rows = scored.select("id", "s.a").collect()
    assert [row["id"] for row in rows] == list(range(25_000))
    expected = pd.Series([f"t{i}" for i in range(7)]).zsc.scores(["a", "b"], model=tiny)["a"]
    for row in rows[::997]:
        assert row["a"] == pytest.approx(expected[row["id"] % 7], abs=TOLERANCE)


@pytest.mark.parametrize("policy", ["EXCEPTION", "LAST_WIN"])
@pytest.mark.parametrize(
    ("labels", "descriptions"),
    [("a,b,a", "x,y,z"), ("a,b", "x"), ("a,NULL", "x,y")],
)
def test_wrong_labels_beside_descriptions_are_named(spark, tiny, labels, descriptions, policy):
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F

    text = spark.createDataFrame(
        [("the fox", labels, descriptions)], "text string, l string, d string"
    )
    said = F.split("d", ",")
    names = F.transform(F.split("l", ","), lambda x: F.when(x != "NULL", x))
    column = zs.classify("text", names, descriptions=said, model=tiny)
    message = r"labels=\[a, .*\] of a row with descriptions=\[x.*once"
    if spark.version < "4":
        # Its errors are Java's, and sometimes only of the connection that the true one ended.
        message += "|Socket is closed"
    spark.conf.set("spark.sql.mapKeyDedupPolicy", policy)
    try:
        with pytest.raises((PySparkException, Py4JJavaError), match=message):
            text.select(column.alias("found")).collect()
    finally:
        spark.conf.unset("spark.sql.mapKeyDedupPolicy")


def test_wrong_descriptions_fail_before_a_job(spark, tiny):
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F

    rows = frame(spark)
    for labels, said in ((LABELS, rows["labels"]), (rows["labels"], ["a"])):
        with pytest.raises(TypeError, match="descriptions"):
            zs.classify("text", labels, descriptions=said, model=tiny)
    column = zs.classify("text", rows["labels"], descriptions=F.array(rows["i"]), model=tiny)
    with pytest.raises(AnalysisException):
        rows.select(column).schema  # noqa: B018
