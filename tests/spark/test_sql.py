"""SQL functions and per-row labels give the engine's scores, row for row."""

from __future__ import annotations

import pyarrow as pa
import pytest
from surface_rows import HYPOTHESES, LABELS, ROWS

from sparknlp_zs import spark as zs
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.models import ModelNotFoundError
from sparknlp_zs.tasks import NLI, RowLabels, RowLabelScores

SETS = [LABELS, ["one"], None, [], ["b", "a"]]
ROW_LABELS = [SETS[i % 7 % 5] for i in range(len(ROWS))]
FLAGS = [i % 3 == 0 for i in range(len(ROWS))]


@pytest.fixture
def rows(spark, tiny):
    """The view ``rows``, in three partitions, and the functions registered."""
    zs.register(spark, model=tiny)
    values = list(zip(range(len(ROWS)), ROWS, HYPOTHESES, ROW_LABELS, FLAGS, strict=True))
    schema = "i int, text string, hypothesis string, labels array<string>, multi boolean"
    frame = spark.createDataFrame(values, schema)
    frame.repartition(3).createOrReplaceTempView("rows")
    return frame


@pytest.fixture(scope="module")
def engine(tiny):
    return load_scorer(tiny)


def sql(spark, expression, table="rows"):
    """The expression's values in the order of i; each row exactly once."""
    found = spark.sql(f"SELECT i, {expression} AS found FROM {table}").collect()
    assert sorted(row["i"] for row in found) == list(range(len(ROWS)))
    by_row = {row["i"]: row["found"] for row in found}
    return [plain(by_row[i]) for i in range(len(ROWS))]


def plain(value):
    return value.asDict() if hasattr(value, "asDict") else value


def by_engine(engine, task, labels, multi=FLAGS):
    columns = [pa.array(ROWS), pa.array(labels, pa.list_(pa.string())), pa.array(multi)]
    return engine.score(task, columns).to_pylist()


def assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        for name, value in (b or {}).items():
            numeric = isinstance(value, float) or name == "scores"
            assert a[name] == (pytest.approx(value, abs=1e-6) if numeric else value)


def test_labels_that_vary_by_row(spark, rows, engine):
    expected = by_engine(engine, RowLabels(), ROW_LABELS)
    assert_equal(sql(spark, "zs_classify(text, labels, multi)"), expected)
    expected = by_engine(engine, RowLabels(), ROW_LABELS, [False] * len(ROWS))
    assert_equal(sql(spark, "zs_classify(text, labels)"), expected)


def test_literal_labels_in_a_view(spark, rows, engine):
    labels = "array('travel', 'cooking, and more', '{braces}')"
    spark.sql(
        "CREATE OR REPLACE TEMPORARY VIEW scored AS "
        f"SELECT i, zs_scores(text, {labels}, multi_label => true) AS s FROM rows"
    )
    expected = by_engine(engine, RowLabelScores(), [LABELS] * len(ROWS), [True] * len(ROWS))
    found = sql(spark, "s", "scored")
    assert_equal(found, [row and dict(row) for row in expected])
    best = sql(spark, f"zs_classify(text, {labels}).label")
    assert {label for label in best if label} <= set(LABELS)


def test_nli(spark, rows, engine):
    columns = [pa.array(ROWS), pa.array(HYPOTHESES)]
    expected = engine.score(NLI(), columns).to_pylist()
    assert_equal(sql(spark, "zs_nli(text, hypothesis)"), expected)


def test_literals_and_nulls(spark, rows):
    found = spark.sql(
        "SELECT zs_classify('the fox', array('a')).label, zs_classify(NULL, array('a')), "
        "zs_classify('the fox', NULL), zs_scores('the fox', array()), "
        "zs_scores('the fox', array('a'), NULL), zs_nli('the fox', NULL)"
    ).first()
    assert list(found) == ["a", None, None, None, None, None]


def test_bad_array_fails_with_its_name(spark, rows):
    from pyspark.errors import PythonException

    for bad, message in (("'a', 'a'", "more than once"), ("'a', ' '", "blank"), ("NULL", "None")):
        with pytest.raises(PythonException, match=rf"labels=\[[^]]*\] of a row: .*{message}"):
            spark.sql(f"SELECT zs_classify('the fox', array({bad}))").collect()


def test_wrong_calls_fail_before_any_job(spark, rows):
    from pyspark.errors import AnalysisException

    for call in ("zs_classify(text)", "zs_classify(text, 'a,b')", "zs_nli(text)"):
        with pytest.raises(AnalysisException):
            _ = spark.sql(f"SELECT {call} FROM rows").schema


def test_two_models_by_prefix(spark, rows, engine):
    zs.register(spark, model="starter", prefix="starter")
    found = spark.sql(
        "SELECT starter_nli('A man sleeps.', 'A man is asleep.').label, zs_nli('a', 'b').label"
    ).first()
    assert found[0] == "entailment"
    assert found[1] == engine.score(NLI(), [pa.array(["a"]), pa.array(["b"])])[0]["label"].as_py()


def test_wrong_registration(spark):
    with pytest.raises(ValueError, match="prefix='z s'"):
        zs.register(spark, model="starter", prefix="z s")
    with pytest.raises(ModelNotFoundError, match="model='no/such'"):
        zs.register(spark, model="no/such")


def test_column_of_labels(spark, rows, engine, tiny):
    column = zs.classify(
        "text", rows["labels"], hypothesis_template="Über {}?", multi_label=True, model=tiny
    )
    found = {row["i"]: plain(row["c"]) for row in rows.select("i", column.alias("c")).collect()}
    expected = by_engine(engine, RowLabels("Über {}?"), ROW_LABELS, [True] * len(ROWS))
    assert_equal([found[i] for i in range(len(ROWS))], expected)


def test_column_of_labels_that_are_no_strings(spark, rows, tiny):
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F

    for labels in (rows["text"], F.array(rows["i"])):
        with pytest.raises(AnalysisException, match=r'requires the "(ARRAY|STRING)" type'):
            _ = rows.select(zs.classify("text", labels, model=tiny)).schema
