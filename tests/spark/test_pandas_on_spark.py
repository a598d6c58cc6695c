"""pandas-on-Spark's .zsc gives what the pandas accessor gives, with the same index."""

from __future__ import annotations

import pandas as pd
import pyspark
import pytest
from pandas.testing import assert_frame_equal
from surface_rows import HYPOTHESES, LABELS, ROWS

import sparknlp_zs  # noqa: F401

ps = pytest.importorskip("pyspark.pandas", exc_type=ImportError, reason="pandas is too new")
pytest.importorskip("sparknlp_zs.spark.pandas")

INDEX = pd.Index([f"row {i}" for i in range(len(ROWS))], name="name")
FRAME = pd.DataFrame({"text": ROWS, "hypothesis": HYPOTHESES, "n": range(len(ROWS))}, index=INDEX)


@pytest.fixture
def pandas_mode(spark):
    """Spark 4.0 has ANSI mode on, but its pandas API refuses to work in it."""
    if not pyspark.__version__.startswith("4.0."):
        yield
        return
    spark.conf.set("spark.sql.ansi.enabled", "false")
    yield
    spark.conf.unset("spark.sql.ansi.enabled")


@pytest.fixture
def frame(spark, pandas_mode):
    rows = FRAME.reset_index().astype(object).where(FRAME.reset_index().notna(), None)
    schema = "name string, text string, hypothesis string, n long"
    created = spark.createDataFrame(rows.values.tolist(), schema)
    return created.repartition(3).pandas_api(index_col="name")


def assert_same(found, expected):
    """Equal in values and index, whatever the order of the partitions and the missing value."""
    found = found.to_pandas().reindex(INDEX)
    assert found.columns.tolist() == expected.columns.tolist()
    same = [x.astype(object).where(x.notna(), None) for x in (found, expected)]
    numbers = expected.select_dtypes("float").columns
    assert_frame_equal(*(x.drop(columns=numbers) for x in same))
    assert_frame_equal(found[numbers], expected[numbers], rtol=0, atol=1e-6)


def test_predict(frame, moods):
    assert_same(frame["text"].zsc.predict(moods), FRAME["text"].zsc.predict(moods))
    scores = FRAME["text"].zsc.predict_scores(moods)
    assert_same(frame["text"].zsc.predict_scores(moods), scores)


def test_classify(frame, tiny):
    assert_same(
        frame["text"].zsc.classify(LABELS, model=tiny),
        FRAME["text"].zsc.classify(LABELS, model=tiny),
    )


def test_descriptions(frame, tiny):
    labels = {label: f"about {at} things" for at, label in enumerate(LABELS)}
    for found, expected in (
        (frame["text"].zsc.scores, FRAME["text"].zsc.scores),
        (frame["text"].zsc.classify, FRAME["text"].zsc.classify),
    ):
        assert_same(found(labels, model=tiny), expected(labels, model=tiny))


def test_tree_and_threshold(frame, tiny):
    tree = {"a": ["x", "y"], "b": {"z": "about z"}, "c": []}
    options = {"threshold": 0.3, "hypothesis_template": ["{}!", "Über {}?"], "model": tiny}
    found = frame["text"].zsc.classify(tree, **options)
    assert_same(found, FRAME["text"].zsc.classify(tree, **options))
    assert_same(
        frame["text"].zsc.scores(tree, model=tiny), FRAME["text"].zsc.scores(tree, model=tiny)
    )


@pytest.mark.parametrize("multi_label", [False, True])
def test_scores(frame, tiny, multi_label):
    options = {"hypothesis_template": "Über {}?", "multi_label": multi_label, "model": tiny}
    assert_same(
        frame["text"].zsc.scores(LABELS, **options),
        FRAME["text"].zsc.scores(LABELS, **options),
    )


def test_nli(frame, tiny):
    assert_same(
        frame.zsc.nli("text", "hypothesis", model=tiny),
        FRAME.zsc.nli("text", "hypothesis", model=tiny),
    )


def test_results_become_columns_of_the_frame_and_are_scored_once(frame, tiny, capsys):
    scored = frame["text"].zsc.classify(LABELS, model=tiny)
    frame["label"], frame["score"] = scored["label"], scored["score"]
    assert_same(frame[["label", "score"]], FRAME["text"].zsc.classify(LABELS, model=tiny))
    frame.spark.explain()
    plan = capsys.readouterr().out
    (line,) = [x for x in plan.splitlines() if "EvalPython" in x]
    assert line.split("], [")[0].count("zs_zero_shot(") == 1


def test_wrong_input_fails_at_once(frame, tiny):
    with pytest.raises(TypeError, match="Series 'n' is not text"):
        frame["n"].zsc.classify(LABELS, model=tiny)
    with pytest.raises(TypeError, match="Series 'c' is not text"):
        ps.Series(["a"], name="c", dtype="category").zsc.scores(LABELS, model=tiny)
    with pytest.raises(ValueError, match="more than once"):
        frame["text"].zsc.scores(["a", "a"], model=tiny)
    with pytest.raises(KeyError, match="hypothesis='nope'"):
        frame.zsc.nli("text", "nope", model=tiny)
