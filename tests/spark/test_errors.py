"""Wrong input fails on the driver, before any job."""

from __future__ import annotations

import shutil

import pytest

from sparknlp_zs import spark as zs
from sparknlp_zs.models import ModelNotFoundError


@pytest.fixture
def frame(spark):
    return spark.createDataFrame(
        [(1, "a", b"b", ["c"])], "n int, t string, b binary, a array<string>"
    )


@pytest.fixture
def no_jobs(spark, request):
    """Fails if the test started a Spark job (seen by classic Spark's tracker)."""
    if "connect" in request.node.name:
        yield
        return
    tracker = spark.sparkContext.statusTracker()
    before = set(tracker.getJobIdsForGroup())
    yield
    assert set(tracker.getJobIdsForGroup()) == before


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": []}, ValueError, "at least one"),
        ({"labels": ["a", "a"]}, ValueError, "more than once"),
        ({"labels": ["a", 1]}, TypeError, "labels: 1 is a int"),
        ({"labels": "a,b"}, TypeError, "labels='a,b'"),
        ({"labels": ["a"], "hypothesis_template": "no place"}, ValueError, "hypothesis_template="),
        ({"labels": ["a"], "model": "no/such"}, ModelNotFoundError, "model='starter'"),
    ],
)
def test_wrong_arguments(spark, no_jobs, arguments, error, message):
    with pytest.raises(error, match=message):
        zs.classify("t", **arguments)
    with pytest.raises(error, match=message):
        zs.scores("t", **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": ["a"], "threshold": 2}, "threshold=2: scores are from 0 to 1"),
        ({"labels": zs.ZeroShot(["a"]), "threshold": 0.5}, r"threshold=0\.5: labels is a task"),
        ({"labels": {"a": ["x", " "]}}, r"labels\['a'\]: ' ' is blank"),
        ({"labels": {"a": ["x", "y"]}, "multi_label": True}, "multi_label=True"),
    ],
)
def test_wrong_options(no_jobs, arguments, message):
    with pytest.raises(ValueError, match=message):
        zs.classify("t", model="no/such", **arguments)


def test_not_a_column(spark, tiny):
    with pytest.raises(TypeError, match="text=3"):
        zs.classify(3, ["a"], model=tiny)
    with pytest.raises(TypeError, match="hypothesis=None"):
        zs.nli("t", None, model=tiny)


@pytest.mark.parametrize("name", ["n", "b", "a"])
def test_column_that_is_not_text(spark, no_jobs, frame, tiny, name):
    from pyspark.errors import AnalysisException

    with pytest.raises(AnalysisException, match=rf'requires the "STRING" type, however "{name}"'):
        _ = frame.withColumn("x", zs.classify(name, ["a", "b"], model=tiny)).schema


def test_missing_column(spark, no_jobs, frame, tiny):
    from pyspark.errors import AnalysisException

    with pytest.raises(AnalysisException, match="`nope` cannot be resolved"):
        _ = frame.withColumn("x", zs.classify("nope", ["a", "b"], model=tiny)).schema


def test_model_without_tokenizer(spark, no_jobs, tiny, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "model")
    for path in folder.glob("token*"):
        path.unlink()
    with pytest.raises(ValueError, match="there is no tokenizer"):
        zs.classify("t", ["a"], model=folder)


def test_model_that_is_no_nli_model(spark, no_jobs, tmp_path):
    from tiny_models import make_model

    folder = make_model("bert", tmp_path / "plain", ("positive", "neutral", "negative"))
    with pytest.raises(ValueError, match="names no entailment class"):
        zs.classify("t", ["a"], model=folder)
