"""Task heads as Spark columns and SQL functions give the engine's scores, row for row."""

from __future__ import annotations

import pyarrow as pa
import pytest
from surface_rows import HYPOTHESES, ROWS
from surfaces import sql_value
from tiny_adapters import NAMES

from sparknlp_zs import ModelNotFoundError, ModelSpec
from sparknlp_zs import spark as zs
from sparknlp_zs.engine.adapters import resolve_head
from sparknlp_zs.engine.combined import with_adapter
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.spark.versions import is_before_4
from sparknlp_zs.tasks import Annotation, ChoiceTask, HeadTask, PairHeadTask, RowTasks, TaskHead
from sparknlp_zs.tasks.heads import CHOICES, PAIR

typed_sql = pytest.mark.skipif(
    is_before_4(), reason="Spark 3 has no SQL functions with typed arguments, the UDFs alone"
)

LISTS = [["yes", "no"], None, [], ["a", None], ["one"], ["x", "y", "z"]]
CHOICE_ROWS = [LISTS[i % 6] for i in range(len(ROWS))]
CYCLE = ["glue/sst2", "yelp_review_full", None, "glue/stsb", "glue/sst2"]
TASKS = [CYCLE[i % 5] for i in range(len(ROWS))]
COLUMNS = {
    "text": pa.array(ROWS),
    "pair": pa.array(HYPOTHESES),
    "choices": pa.array(CHOICE_ROWS),
    "task": pa.array(TASKS),
}


@pytest.fixture
def frame(spark):
    values = list(zip(range(len(ROWS)), ROWS, HYPOTHESES, CHOICE_ROWS, TASKS, strict=True))
    schema = "i int, text string, pair string, choices array<string>, task string"
    df = spark.createDataFrame(values, schema).repartition(3)
    df.createOrReplaceTempView("head_rows")
    return df


@pytest.fixture(scope="module")
def engine(tiny_heads):
    _, spec = resolve_head(TaskHead("glue/sst2"), tiny_heads)
    return load_scorer(with_adapter(tiny_heads, spec))


def head(tiny_heads, name, columns=("text",)):
    return resolve_head(TaskHead(name, columns=columns), tiny_heads)[0]


def test_heads_and_zero_shot_in_one_column(spark, frame, engine, tiny_heads, capsys):
    tasks = {"mood": zs.TaskHead("glue/sst2"), "topic": zs.ZeroShot(["travel", "cooking"])}
    fixed = {"mood": HeadTask(head(tiny_heads, "glue/sst2")), "topic": tasks["topic"]}
    expected = engine.score(Annotation(fixed), [COLUMNS["text"]]).to_pylist()
    found = frame.withColumn("a", zs.annotate("text", tasks, model=tiny_heads))
    table = zs.transform(frame, "text", tasks, model=tiny_heads)
    for name in tasks:
        part = [row and row[name] for row in expected]
        assert_equal(collected(found, f"a.{name}"), part)
        assert_equal(collected(table, name), part)
    found.explain()
    assert capsys.readouterr().out.count("EvalPython") == 1
    with pytest.raises(ModelNotFoundError, match="adapter"):
        zs.annotate("text", tasks, model="starter")


def collected(df, expression="found"):
    rows = df.selectExpr("i", f"{expression} AS found").collect()
    assert sorted(row["i"] for row in rows) == list(range(len(ROWS)))
    by_row = {row["i"]: row["found"] for row in rows}
    return [by_row[i] and sql_value(by_row[i].asDict()) for i in range(len(ROWS))]


def assert_equal(found, expected):
    assert any(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        for name, value in (b or {}).items():
            numeric = isinstance(value, float) or (name == "scores" and value)
            assert a[name] == (pytest.approx(value, abs=1e-5) if numeric else value)


def test_single_texts(spark, frame, engine, tiny_heads):
    expected = engine.score(HeadTask(head(tiny_heads, "glue/sst2")), [COLUMNS["text"]])
    column = zs.task("text", "glue/sst2", model=tiny_heads)
    assert_equal(collected(frame.withColumn("found", column)), expected.to_pylist())
    schema = "struct<label:string,score:double,labels:array<string>,scores:array<double>>"
    assert frame.select(column.alias("c")).schema["c"].dataType.simpleString() == schema


def test_pairs_and_regression(spark, frame, engine, tiny_heads):
    texts = [COLUMNS["text"], COLUMNS["pair"]]
    for name in ("glue/rte", "glue/stsb"):
        expected = engine.score(PairHeadTask(head(tiny_heads, name, PAIR)), texts)
        column = zs.task(frame["text"], name, text_pair="pair", model=tiny_heads)
        assert_equal(collected(frame.withColumn("found", column)), expected.to_pylist())


def test_multiple_choice(spark, frame, engine, tiny_heads):
    task = ChoiceTask(head(tiny_heads, "swag/regular", CHOICES))
    expected = engine.score(task, [COLUMNS["text"], COLUMNS["choices"]])
    column = zs.task("text", "swag/regular", choices="choices", model=tiny_heads)
    assert_equal(collected(frame.withColumn("found", column)), expected.to_pylist())


def test_column_of_tasks(spark, frame, engine, tiny_heads):
    expected = engine.score(RowTasks(), [COLUMNS["text"], COLUMNS["task"]]).to_pylist()
    column = zs.task("text", frame["task"], model=tiny_heads)
    assert_equal(collected(frame.withColumn("found", column)), expected)
    with pytest.raises(ValueError, match="kind='regression'"):
        zs.task("text", frame["task"], kind="regression", model=tiny_heads)


def test_explicit_adapter_and_half_precision(spark, frame, tiny_heads, tmp_path):
    from tiny_adapters import make_adapter

    spec = ModelSpec(
        str(tiny_heads), dtype="bfloat16", adapter=str(make_adapter(tmp_path / "elsewhere"))
    )
    both = frame.select(
        "i",
        zs.task("text", "glue/sst2", model=spec).alias("found"),
        zs.scores("text", ["x", "y"], model=spec).alias("scores"),
    )
    rows = both.where("found IS NOT NULL").collect()
    assert rows
    for row in rows:
        assert sum(row["found"]["scores"]) == pytest.approx(1.0)
        assert row["scores"]["x"] + row["scores"]["y"] == pytest.approx(1.0)


def test_listing(tiny_heads):
    assert [task.name for task in zs.tasks(tiny_heads)] == NAMES
    assert zs.tasks(tiny_heads, search="SST2 negative")[0].labels == ("negative", "positive")


def test_wrong_arguments_fail_before_any_job(spark, frame, tiny_heads):
    from pyspark.errors import AnalysisException

    for arguments, error, message in [
        ({"name": "glue/sst-2"}, ValueError, "similar names are"),
        ({"name": "swag/regular"}, ValueError, "pass choices"),
        ({"name": "glue/rte", "text_pair": 3}, TypeError, "text_pair=3"),
        ({"name": "swag/regular", "choices": "c", "text_pair": "c"}, ValueError, "one of them"),
        ({"name": "a", "model": "starter"}, ModelNotFoundError, "it has no adapter"),
        ({"name": "swag/regular", "choices": 3}, TypeError, "choices=3"),
    ]:
        with pytest.raises(error, match=message):
            zs.task("text", **{"model": tiny_heads, **arguments})
    for choices in ("text", "i"):
        column = zs.task("text", "swag/regular", choices=choices, model=tiny_heads)
        with pytest.raises(AnalysisException, match='requires the "ARRAY" type'):
            _ = frame.select(column).schema


def test_sql_tasks_by_row(spark, frame, engine, tiny_heads):
    zs.register(spark, model=tiny_heads)
    rows = spark.table("head_rows")
    texts = [COLUMNS["text"], COLUMNS["task"]]
    expected = engine.score(RowTasks(), texts).to_pylist()
    assert_equal(collected(rows, "zs_task(text, task)"), expected)
    literal = engine.score(HeadTask(head(tiny_heads, "glue/sst2")), texts[:1]).to_pylist()
    assert_equal(collected(rows, "zs_task(text, 'glue/sst2')"), literal)


def test_sql_pairs_and_choices(spark, frame, engine, tiny_heads):
    zs.register(spark, model=tiny_heads)
    rows = spark.table("head_rows")
    pairs = [COLUMNS["text"], COLUMNS["pair"]]
    expected = engine.score(PairHeadTask(head(tiny_heads, "glue/rte", PAIR)), pairs).to_pylist()
    assert_equal(collected(rows, "zs_task_pair(text, pair, 'glue/rte')"), expected)
    texts = [COLUMNS["text"], COLUMNS["choices"]]
    task = ChoiceTask(head(tiny_heads, "swag/regular", CHOICES))
    name = "'swag/regular'" if is_before_4() else "task => 'swag/regular'"
    found = collected(rows, f"zs_task_choice(text, choices, {name})")
    assert_equal(found, engine.score(task, texts).to_pylist())


@typed_sql
def test_sql_errors(spark, frame, tiny_heads):
    from pyspark.errors import AnalysisException, PythonException

    zs.register(spark, model=tiny_heads)
    with pytest.raises(PythonException, match="task 'glue/nope': the adapter has no such task"):
        spark.sql("SELECT zs_task('a', 'glue/nope')").collect()
    with pytest.raises(PythonException, match="is a multiple choice task: pass choices"):
        spark.sql("SELECT zs_task('a', 'swag/regular')").collect()
    with pytest.raises(AnalysisException):
        _ = spark.sql("SELECT zs_task('a')").schema


@typed_sql
def test_sql_of_a_model_without_adapter(spark, tiny):
    """Registering works as before, and the functions say what is missing."""
    zs.register(spark, model=tiny)
    assert spark.sql("SELECT zs_nli('a', 'b').label").first()[0]
    for call in ("zs_task('a', 'b')", "zs_task_pair('a', 'b', 'c')"):
        with pytest.raises(Exception, match=r"it has no adapter.*ModelSpec\(model, adapter="):
            spark.sql(f"SELECT {call}").collect()


def test_sql_with_an_adapter_that_is_wrong(spark, tiny):
    with pytest.raises(ModelNotFoundError, match="adapter='no/such'"):
        zs.register(spark, model=ModelSpec(str(tiny), adapter="no/such"))
