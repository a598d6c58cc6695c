"""Trained classifiers as Spark columns and SQL functions give the engine's scores, row for row."""

from __future__ import annotations

import pyarrow as pa
import pyspark
import pytest
from surface_rows import LABELS, ROWS
from surfaces import assert_same, collected, frame

from sparknlp_zs import ModelNotFoundError, ModelSpec
from sparknlp_zs import spark as zs
from sparknlp_zs.classifiers import read_classifier
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.spark.shipping import SHIPPING
from sparknlp_zs.tasks import ClassifierScores


@pytest.fixture(scope="module")
def expected(moods):
    """The engine's values, ranked."""
    found = load_scorer(moods).score(read_classifier(moods), [pa.array(ROWS)]).to_pylist()
    assert 10 < found.count(None) < 190
    assert len({row["label"] for row in found if row}) > 1
    return found


def test_columns(spark, moods, expected):
    rows = frame(spark)
    column = zs.predict(rows["text"], moods)
    assert_same(collected(rows.withColumn("found", column), "found"), expected)
    scores = load_scorer(moods).score(
        ClassifierScores(("sad", "neutral", "glad")), [pa.array(ROWS)]
    )
    column = zs.predict_scores("text", str(moods), once=True)
    assert_same(collected(rows.withColumn("found", column), "found"), scores.to_pylist())


def test_shipped_in_an_archive(classic, moods, expected):
    classic.conf.set(SHIPPING, "archive")
    try:
        column = zs.predict("text", moods)
    finally:
        classic.conf.unset(SHIPPING)
    assert_same(collected(frame(classic).withColumn("found", column), "found"), expected)


def test_half_precision(classic, moods, expected):
    column = zs.predict_scores("text", ModelSpec(str(moods), dtype="bfloat16"))
    found = collected(frame(classic).withColumn("found", column), "found")
    for row, exact in zip(found, expected, strict=True):
        assert (row is None) == (exact is None)
        if row is not None:
            by_class = dict(zip(exact["labels"], exact["scores"], strict=True))
            assert row == {name: pytest.approx(by_class[name], abs=0.1) for name in row}


def test_beside_zero_shot(classic, moods, tiny):
    """Two models in one query."""
    both = frame(classic).select(
        "i",
        zs.predict("text", moods)["label"].alias("mood"),
        zs.classify("text", LABELS, model=tiny)["label"].alias("topic"),
    )
    found = collected(both, "mood", "topic")
    assert {mood for mood, _ in found} <= {"sad", "neutral", "glad", None}
    assert {topic for _, topic in found} <= {*LABELS, None}
    assert all((mood is None) == (topic is None) for mood, topic in found)


def test_wrong_arguments_fail_before_any_job(spark, moods, tiny, tmp_path):
    from pyspark.errors import AnalysisException

    rows = spark.createDataFrame([(1, "a")], "n int, text string")
    with pytest.raises(ValueError, match="an NLI model"):
        zs.predict("text", tiny)
    with pytest.raises(ValueError, match="names no entailment class"):
        zs.classify("text", ["a"], model=moods)
    with pytest.raises(TypeError, match="model=None"):
        zs.predict("text", None)
    with pytest.raises(ModelNotFoundError, match="no such folder"):
        zs.predict("text", "./nowhere")
    with pytest.raises(TypeError, match="text=3: pass a column"):
        zs.predict(3, moods)
    with pytest.raises(AnalysisException):
        _ = rows.withColumn("x", zs.predict("n", moods)).schema
    with pytest.raises(ValueError, match="prefix='1 x'"):
        zs.register_predict(spark, moods, prefix="1 x")


@pytest.mark.skipif(pyspark.__version__ < "4", reason="Spark 3 has no SQL functions: see test_udfs")
def test_sql(spark, moods, tiny, expected):
    zs.register_predict(spark, moods)
    frame(spark).createOrReplaceTempView("classifier_rows")
    query = "SELECT i, {}(text) AS found FROM classifier_rows"
    assert_same(collected(spark.sql(query.format("zs_predict")), "found"), expected)
    zs.register_predict(spark, moods, prefix="mood")
    assert_same(collected(spark.sql(query.format("mood_predict")), "found"), expected)
    assert spark.sql("SELECT zs_predict(NULL), zs_predict(' ')").first()[:] == (None, None)
