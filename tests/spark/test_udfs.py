"""Both kinds of UDF give one result per row: Arrow's, and pandas' for Spark before 4.1."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import functions as F
from surface_rows import LABELS, ROWS

from sparknlp_zs import spark as zs
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.spark import udfs
from sparknlp_zs.spark.versions import is_before_4
from sparknlp_zs.tasks import ZeroShot

STRUCT = pa.struct([("a", pa.string()), ("b", pa.float64()), ("c", pa.list_(pa.string()))])
MAP = pa.map_(pa.string(), pa.float64())
NESTED = pa.struct([("s", STRUCT), ("t", pa.struct([("x", pa.float64())]))])
KINDS = [STRUCT, NESTED, pa.list_(STRUCT), MAP, pa.string(), pa.int64()]
VALUE = {"a": "x", "b": 0.5, "c": ["p", None]}
RESULTS = {STRUCT: VALUE, pa.list_(STRUCT): [VALUE, None], MAP: {"k": 1.5, "l": None}}
RESULTS |= {NESTED: {"s": VALUE, "t": {"x": None}}}
RESULTS |= {pa.string(): "x", pa.int64(): 7}
TYPES = udfs.column_types(["text", "labels", "multi_label"])
SCHEMA = "i int, text string, labels array<string>, flag boolean"
VALUES = [
    (0, "text", ["a", None], True),
    (1, None, None, None),
    (2, "", [], False),
    (3, "text", ["a"], None),
]


@pytest.fixture(params=["arrow", "pandas"])
def make(request, monkeypatch):
    """The UDF's maker of each kind, where Spark has it."""
    if request.param == "arrow" and not hasattr(F, "arrow_udf"):
        pytest.skip("Spark has no arrow_udf before 4.1")
    return getattr(udfs, f"_{request.param}_udf")


def checking(kind, result):
    """A function that gives the result where the text is "text", if nulls arrive as nulls."""

    def score(batches):
        for text, labels, flag in batches:
            rows = list(zip(*(x.to_pylist() for x in (text, labels, flag)), strict=True))
            assert all(row in [tuple(value[1:]) for value in VALUES] for row in rows), rows
            yield pa.array([result if row[0] == "text" else None for row in rows], kind)

    return score


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_inputs_and_results(spark, make, kind):
    result = RESULTS[kind]
    given = list(result.items()) if kind == MAP else result
    udf = make(checking(kind, given), "f", TYPES, kind)
    frame = spark.createDataFrame(VALUES, SCHEMA).repartition(2)
    rows = frame.select("i", udf("text", "labels", "flag").alias("f")).collect()
    found = {row["i"]: plain(row["f"]) for row in rows}
    assert found == {0: result, 1: None, 2: None, 3: result}


def plain(value):
    if isinstance(value, list):
        return [plain(x) for x in value]
    return value.asDict(recursive=True) if hasattr(value, "asDict") else value


def test_nothing_but_nulls(spark, make):
    udf = make(
        lambda batches: (pa.nulls(len(x[0]), STRUCT) for x in batches), "f", TYPES[:1], STRUCT
    )
    frame = spark.createDataFrame(VALUES, SCHEMA)
    assert [row[0] for row in frame.select(udf("text")).collect()] == [None] * 4


def test_scored_once_with_a_filter(spark, make, capsys):
    udf = make(
        lambda batches: (pa.nulls(len(x[0]), STRUCT) for x in batches), "f", TYPES[:1], STRUCT
    )
    frame = spark.createDataFrame(VALUES, SCHEMA)
    found = frame.select(udf.asNondeterministic()("text").alias("f")).where("f.b IS NULL")
    found.explain()
    assert capsys.readouterr().out.count("EvalPython") == 1


def test_columns_by_pandas_equal_the_engine(spark, tiny, monkeypatch):
    monkeypatch.setattr(udfs, "_arrow_udf", udfs._pandas_udf)
    expected = load_scorer(tiny).score(ZeroShot(LABELS), [pa.array(ROWS)]).to_pylist()
    frame = spark.createDataFrame(list(enumerate(ROWS)), "i int, text string").repartition(3)
    frame = frame.withColumn("labels", F.array(*map(F.lit, LABELS)))
    same = zs.classify("text", LABELS, model=tiny)
    own = zs.classify("text", F.col("labels"), model=tiny)
    rows = {x["i"]: x for x in frame.select("i", same.alias("same"), own.alias("own")).collect()}
    for i, score in enumerate(expected):
        for found in (rows[i]["same"], rows[i]["own"]):
            assert (found is None) == (score is None)
            if found is not None:
                assert found["label"] == score["label"]
                assert found["scores"] == pytest.approx(score["scores"], abs=1e-6)


def test_sql_by_pandas(spark, tiny, monkeypatch):
    monkeypatch.setattr(udfs, "_arrow_udf", udfs._pandas_udf)
    zs.register(spark, model=tiny, prefix="by_pandas")
    labels = "array('a', 'b')"
    row = spark.sql(
        f"SELECT by_pandas_classify('fox', {labels}, true).label, by_pandas_nli('fox', NULL), "
        f"by_pandas_scores('fox', {labels}, false), by_pandas_classify('', {labels}, false)"
    ).first()
    assert row[0] in ("a", "b")
    assert sum(row[2].values()) == pytest.approx(1)
    not_scored = [row[1], row[3]]
    if is_before_4():  # structs of nulls
        not_scored = [None for x in not_scored if not any(x.asDict().values())]
    assert not_scored == [None, None]


@pytest.mark.parametrize("dtype", [object, "string"])
def test_missing_values_of_pandas(dtype):
    series = pd.Series(["a", None, float("nan"), pd.NA], dtype=dtype)
    assert udfs.to_arrow(series, pa.string()).to_pylist() == ["a", None, None, None]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_batch_of_nulls_has_its_type(kind):
    assert udfs.to_arrow(pd.Series([None, None], dtype=object), kind).equals(pa.nulls(2, kind))
