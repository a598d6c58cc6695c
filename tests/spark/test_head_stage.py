"""TaskHeadClassifier: the engine's scores, Spark ML's conventions, persistence."""

from __future__ import annotations

import pytest
from pyspark.ml.feature import IndexToString

from sparknlp_zs import spark as zs

ROWS = [
    (0, "the fox", "a dog", ["jumps", "cooks", "x"]),
    (1, None, "a", ["a"]),
    (2, "my card", "was stolen", ["b", "b", "a"]),
    (3, " ", "a", ["a"]),
    (4, "travel", None, None),
    (5, "😀", "東京", ["a", None]),
]


@pytest.fixture
def frame(spark):
    schema = "i int, text string, pair string, choices array<string>"
    return spark.createDataFrame(ROWS, schema).repartition(2)


def stage(model, **arguments):
    return zs.TaskHeadClassifier(inputCol="text", model=model, **arguments)


def scored(frame, stage, column):
    """The stage's rows with the column's struct beside them, in order."""
    rows = stage.transform(frame).withColumn("expected", column).collect()
    assert sorted(row["i"] for row in rows) == list(range(len(ROWS)))
    return sorted(rows, key=lambda row: row["i"])


def test_classification(spark, frame, tiny_heads, capsys):
    head = stage(tiny_heads, task="yelp_review_full", predictedLabelCol="label")
    column = zs.task("text", "yelp_review_full", model=tiny_heads)
    labels = ["1", "2", "3", "4", "5"]
    for row in scored(frame, head, column):
        if row["expected"] is None:
            assert (row["prediction"], row["probability"], row["label"]) == (None, None, None)
            continue
        by_label = dict(zip(row["expected"]["labels"], row["expected"]["scores"], strict=True))
        assert list(row["probability"]) == pytest.approx([by_label[x] for x in labels], abs=1e-6)
        assert row["label"] == row["expected"]["label"] == labels[int(row["prediction"])]
    out = head.transform(frame)
    assert out.columns == [*frame.columns, "prediction", "probability", "label"]
    named = IndexToString(inputCol="prediction", outputCol="name").transform(out.dropna())
    assert named.where("name != label").count() == 0
    out.where("prediction >= 0").explain()
    assert capsys.readouterr().out.count("ArrowEvalPython") == 1


def test_pair_and_regression(spark, frame, tiny_heads):
    head = stage(tiny_heads, task="glue/stsb", textPairCol="pair")
    assert head.transform(frame).columns == [*frame.columns, "prediction"]
    column = zs.task("text", "glue/stsb", text_pair="pair", model=tiny_heads)
    rows = scored(frame, head, column)
    assert [row["i"] for row in rows if row["prediction"] is not None] == [0, 2, 5]
    for row in rows:
        expected = row["expected"] and row["expected"]["score"]
        assert row["prediction"] == (expected and pytest.approx(expected, abs=1e-6))


def test_multiple_choice(spark, frame, tiny_heads):
    head = stage(tiny_heads, task="swag/regular", choicesCol="choices", predictedLabelCol="best")
    column = zs.task("text", "swag/regular", choices="choices", model=tiny_heads)
    rows = scored(frame, head, column)
    assert [row["i"] for row in rows if row["prediction"] is not None] == [0, 2]
    for row in rows:
        if row["expected"] is None:
            continue
        assert row["best"] == row["choices"][int(row["prediction"])] == row["expected"]["label"]
        by_choice = dict(zip(row["expected"]["labels"], row["expected"]["scores"], strict=True))
        expected = [by_choice[choice] for choice in row["choices"]]
        assert list(row["probability"]) == pytest.approx(expected, abs=1e-6)


def test_persistence(spark, frame, tiny_heads, tmp_path):
    path = str(tmp_path / "stage")
    adapter = tiny_heads.parent / "tiny-adapters"
    head = stage(tiny_heads, task="glue/sst2", adapter=adapter, dtype="bfloat16", kind=None)
    for _ in range(2):
        head.write().overwrite().save(path)
    loaded = zs.TaskHeadClassifier.load(path)
    assert loaded.explainParams() == head.explainParams()
    assert loaded.getAdapter() == str(adapter)
    assert loaded.transform(frame).where("prediction >= 0").count() == 4


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"task": " "}, TypeError, "task=' '"),
        ({"kind": "ranking"}, ValueError, "kind='ranking'"),
        ({"adapter": ""}, TypeError, "adapter=''"),
        ({"textPairCol": 3}, TypeError, "textPairCol"),
    ],
)
def test_wrong_params_fail_when_set(arguments, error, message):
    with pytest.raises(error, match=message):
        zs.TaskHeadClassifier(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "task: not set"),
        ({"task": "glue/nope"}, "'glue/nope'"),
        ({"task": "glue/rte", "textPairCol": "pair", "choicesCol": "choices"}, "set one of them"),
        ({"task": "glue/stsb", "probabilityCol": "p"}, "probabilityCol='p': .*regression"),
        ({"task": "glue/stsb", "predictedLabelCol": "p"}, "predictedLabelCol='p': .*regression"),
        ({"task": "glue/sst2", "predictionCol": "text"}, "'text': such a column already exists"),
        ({"task": "glue/stsb", "predictionCol": ""}, "at least one output"),
    ],
)
def test_wrong_stages_fail_before_any_job(spark, frame, tiny_heads, arguments, message):
    with pytest.raises(ValueError, match=message):
        stage(tiny_heads, **arguments).transform(frame)
