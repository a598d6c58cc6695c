"""SQL functions beyond their results: views, nulls, errors, prefixes."""

from __future__ import annotations

import pyarrow as pa
import pytest
from surface_rows import LABELS, ROWS
from surfaces import assert_same, collected, frame

from sparknlp_zs import spark as zs
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.models import ModelNotFoundError
from sparknlp_zs.tasks import NLI, RowLabelScores


@pytest.fixture
def rows(spark, tiny):
    """The view ``rows``, in three partitions, and the functions registered."""
    zs.register(spark, model=tiny)
    rows = frame(spark)
    rows.createOrReplaceTempView("rows")
    return rows


@pytest.fixture(scope="module")
def engine(tiny):
    return load_scorer(tiny)


def test_literal_labels_in_a_view(spark, rows, engine):
    labels = "array('travel', 'cooking, and more', '{braces}')"
    spark.sql(
        "CREATE OR REPLACE TEMPORARY VIEW scored AS SELECT i, "
        f"zs_scores(text, {labels}, multi_label => true) AS s, zs_classify(text, {labels}) AS c "
        "FROM rows"
    )
    found = collected(spark.sql("SELECT i, s, c.label FROM scored"), "s", "label")
    columns = [pa.array(ROWS), pa.array([LABELS] * len(ROWS)), pa.array([True] * len(ROWS))]
    scores = engine.score(RowLabelScores(), columns).to_pylist()
    assert_same([row[0] for row in found], [row and dict(sorted(row)) for row in scores])
    assert {row[1] for row in found} <= {*LABELS, None}


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


def test_column_of_labels_that_are_no_strings(spark, rows, tiny):
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F

    for labels in (rows["text"], F.array(rows["i"])):
        with pytest.raises(AnalysisException, match=r'requires the "(ARRAY|STRING)" type'):
            _ = rows.select(zs.classify("text", labels, model=tiny)).schema
