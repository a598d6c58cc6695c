"""The DataFrame verb: columns and rows kept, one pass, metrics that are measured."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest
from surface_rows import LABELS, ROWS

from sparknlp_zs import spark as zs
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.models import ModelNotFoundError
from sparknlp_zs.tasks import Annotation

TOPIC = zs.ZeroShot(LABELS)
SCORES = zs.ZeroShotScores(["x", "a.b `c`"], multi_label=True)


@pytest.fixture
def frame(spark):
    rows = list(zip(range(len(ROWS)), ROWS, strict=True))
    return spark.createDataFrame(rows, "i int, text string")


def test_other_columns_and_order_are_kept(spark, frame, tiny):
    day = datetime.date(2024, 2, 29)
    wide = frame.selectExpr(
        "i AS `a.b`", "text", "array(i, NULL) AS a", "map('k', i) AS m", "DATE'2024-02-29' AS d",
        "TIMESTAMP'2024-02-29 12:00:00' AS ts", "CAST(i AS DECIMAL(9, 2)) AS n", "i AS i", "i AS i",
        "named_struct('x', NULL) AS s", "CAST(text AS BINARY) AS bytes",
    )  # fmt: skip
    out = zs.transform(wide, "text", topic=TOPIC, model=tiny)
    assert out.columns == [*wide.columns, "topic"]
    assert out.schema.fields[:-1] == wide.schema.fields
    before, after = wide.coalesce(1).collect(), out.coalesce(1).collect()
    assert [tuple(row)[:-1] for row in after] == [tuple(row) for row in before]
    assert after[3]["d"] == day


def test_sized_strings_are_kept(spark, tiny):
    name = "spark.sql.preserveCharVarcharTypeInfo"
    spark.conf.set(name, "true")
    try:
        query = "SELECT CAST('x' AS VARCHAR(9)) v, CAST('y' AS CHAR(3)) c, CAST('fox' AS CHAR(4)) t"
        df = spark.sql(query)
        out = zs.transform(df, "t", topic=TOPIC, model=tiny)
        assert out.schema.fields[:-1] == df.schema.fields
        # Spark 3.5 does not pad here.
        assert (
            tuple(out.first())[:-1]
            == tuple(df.first())
            in [("x", "y  ", "fox "), ("x", "y", "fox")]
        )
    finally:
        spark.conf.unset(name)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("make_interval(1)", "interval"),
        ("INTERVAL 3 MONTH", "interval month"),
        ("named_struct('a', 1, 'a', 2)", "struct<a:int,a:int>"),
        ("map(1, array(named_struct('a', 1, 'a', 2)))", "map<int,array<struct<a:int,a:int>>>"),
    ],
)
def test_types_that_arrow_has_not(spark, value, kind):
    if kind == "interval" and spark.version < "4":
        pytest.skip("pyspark 3.5 has no such type: its own error names it")
    df = spark.sql(f"SELECT 'fox' AS text, {value} AS odd")
    message = f"column 'odd': {kind} cannot pass through a Python worker .*select the other columns"
    with pytest.raises(TypeError, match=message):
        zs.transform(df, "text", topic=TOPIC, model="no/such")


def test_text_may_be_an_expression(spark, tiny):
    from pyspark.sql import functions as F

    df = spark.createDataFrame([("a", "fox"), (None, "b")], "p string, q string")
    task = {"model": TOPIC, "two words": SCORES}
    out = df.transform(zs.transform, F.concat("p", F.lit(" "), "q"), task, model=tiny)
    assert out.columns == ["p", "q", "model", "two words"]
    expected = load_scorer(tiny).score(Annotation(task), [pa.array(["a fox"])])[0].as_py()
    first, second = out.collect()
    assert first["model"]["label"] == expected["model"]["label"]
    assert first["two words"].asDict() == pytest.approx(expected["two words"], abs=1e-6)
    assert second["model"] is None
    assert second["two words"] is None


def test_wrong_arguments_fail_before_any_job(spark, frame, tiny):
    from pyspark.errors import AnalysisException

    for name in ("text", "TEXT", "_zs_text"):
        with pytest.raises(ValueError, match=f"{name}: such a column already exists"):
            zs.transform(frame, "text", {name: TOPIC}, model="no/such")
    with pytest.raises(ValueError, match=r"Topic: differs .* only in case"):
        zs.transform(frame, "text", topic=TOPIC, Topic=TOPIC, model="no/such")
    with pytest.raises(ValueError, match=r"Topic: differs .* only in case"):
        zs.annotate("text", topic=TOPIC, Topic=TOPIC, model="no/such")
    with pytest.raises(ValueError, match="none given"):
        zs.transform(frame, "text", model=tiny)
    with pytest.raises(TypeError, match=r"pair=NLI\(.*\): takes premise"):
        zs.transform(frame, "text", pair=zs.NLI(), model=tiny)
    with pytest.raises(TypeError, match="text=3"):
        zs.transform(frame, 3, topic=TOPIC, model=tiny)
    with pytest.raises(ModelNotFoundError, match="no/such"):
        zs.transform(frame, "text", topic=TOPIC, model="no/such")
    with pytest.raises(AnalysisException, match='requires the "STRING" type'):
        zs.transform(frame, "i", topic=TOPIC, model=tiny)
    with pytest.raises(AnalysisException, match="`nope` cannot be resolved"):
        zs.transform(frame, "nope", topic=TOPIC, model=tiny)


def test_metrics(spark, tiny):
    """Measured where the work is done; the tiny model takes 64 tokens with the hypothesis."""
    from pyspark.sql import Observation

    texts = ["the fox", None, " ", "many words " * 300, "travel"] * 40
    rows = [(i, text) for i, text in enumerate(texts)]
    df = spark.createDataFrame(rows, "i int, text string").repartition(3)
    metrics = Observation("zs")
    out = zs.transform(df, "text", topic=TOPIC, s=SCORES, model=tiny, observation=metrics)
    assert out.columns == ["i", "text", "topic", "s"]
    kept = out.where("topic.score >= 0 AND i >= 100").select("i").collect()
    assert len(kept) == 60
    found = metrics.get
    assert 0 < found.pop("seconds") < 60
    assert found == {"rows": 200, "null_rows": 80, "truncated_rows": 40}


def test_streaming(spark, tiny, tmp_path):
    from pyspark.sql import Observation

    rows = [(i, text) for i, text in enumerate(ROWS)]
    schema = "i int, text string"
    source, sink = str(tmp_path / "in"), str(tmp_path / "out")
    spark.createDataFrame(rows, schema).write.parquet(source)
    stream = spark.readStream.schema(schema).parquet(source)
    with pytest.raises(TypeError, match=r"observation=.*pass a name"):
        zs.transform(stream, "text", topic=TOPIC, model="no/such", observation=Observation())
    out = zs.transform(stream, "text", topic=TOPIC, model=tiny, observation="zs")
    query = (
        out.select("i", "topic.label")
        .writeStream.format("parquet")
        .option("path", sink)
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    assert query.awaitTermination(120)
    found = {row["i"]: row["label"] for row in spark.read.parquet(sink).collect()}
    expected = load_scorer(tiny).score(TOPIC, [pa.array(ROWS)]).field("label").to_pylist()
    nulls = load_scorer(tiny).score(TOPIC, [pa.array(ROWS)]).is_null().to_pylist()
    assert found == {i: None if nulls[i] else expected[i] for i in range(len(ROWS))}
