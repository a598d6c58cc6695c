"""Spark ML stages: the engine's scores, Spark ML's conventions, persistence."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import IndexToString
from surface_rows import HYPOTHESES, ROWS

from sparknlp_zs import spark as zs
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import NLI, ZeroShot, ZeroShotScores

# Names that a struct's fields could not tell apart, or that need quoting.
LABELS = ["travel", "Travel", "a.b, `c`", "cooking"]
TEMPLATE = "Über {}?"


@pytest.fixture
def frame(spark):
    rows = list(zip(range(len(ROWS)), ROWS, HYPOTHESES, strict=True))
    return spark.createDataFrame(rows, "i int, text string, hypothesis string").repartition(3)


def classifier(tiny, **arguments):
    return zs.ZeroShotClassifier(inputCol="text", labels=LABELS, model=tiny, **arguments)


def in_order(df):
    rows = {row["i"]: row for row in df.collect()}
    assert sorted(rows) == list(range(len(ROWS)))
    return [rows[i] for i in range(len(ROWS))]


def assert_once(df, capsys):
    """The plan scores in one place."""
    df.explain()
    assert capsys.readouterr().out.count("ArrowEvalPython") == 1


DESCRIBED = {label: f"about {label} things" for label in LABELS}
TASK = ZeroShot(DESCRIBED, TEMPLATE, multi_label=True)


@pytest.mark.parametrize(
    "arguments",
    [
        {"labels": DESCRIBED, "hypothesisTemplate": TEMPLATE, "multiLabel": True},
        {"task": TASK},
    ],
)
def test_descriptions_and_tasks_equal_the_engine(spark, frame, tiny, arguments):
    stage = zs.ZeroShotClassifier(
        inputCol="text",
        predictionCol="p",
        probabilityCol="v",
        predictedLabelCol="l",
        model=tiny,
        **arguments,
    )
    task = ZeroShotScores(DESCRIBED, TEMPLATE, multi_label=True)
    scores = load_scorer(tiny).score(task, [pa.array(ROWS)]).to_pylist()
    out = stage.transform(frame)
    assert out.columns == ["i", "text", "hypothesis", "p", "v", "l"]
    assert out.schema["p"].metadata == {"ml_attr": {"type": "nominal", "vals": LABELS, "name": "p"}}
    for row, expected in zip(in_order(out), scores, strict=True):
        if expected is None:
            assert (row["p"], row["v"], row["l"]) == (None, None, None)
            continue
        assert list(row["v"]) == pytest.approx(list(expected.values()), abs=1e-6)
        assert row["l"] == LABELS[int(row["p"])]
        assert expected[row["l"]] == pytest.approx(max(expected.values()), abs=1e-6)


def test_evaluator_and_index_to_string(spark, frame, tiny, capsys):
    stage = classifier(tiny, predictedLabelCol="best")
    scored = stage.transform(frame).dropna(subset=["prediction"])
    assert_once(scored.where("prediction >= 0"), capsys)
    named = IndexToString(inputCol="prediction", outputCol="name").transform(scored)
    assert named.where("name != best").count() == 0
    truth = scored.selectExpr("prediction", "probability", "prediction AS label")
    assert MulticlassClassificationEvaluator(metricName="accuracy").evaluate(truth) == 1.0
    loss = MulticlassClassificationEvaluator(metricName="logLoss").evaluate(truth)
    best = load_scorer(tiny).score(ZeroShot(LABELS), [pa.array(ROWS)]).drop_null().field("score")
    assert loss == pytest.approx(-sum(pa.compute.ln(best).to_pylist()) / len(best), abs=1e-6)


def test_nli_is_scored_once(spark, frame, tiny, capsys):
    stage = zs.NLIScorer(premiseCol="text", hypothesisCol="hypothesis", outputCol="n", model=tiny)
    assert_once(stage.transform(frame).where("n.score > 0.5"), capsys)


def test_persistence(spark, tiny, tmp_path):
    path = str(tmp_path / "stage")
    stage = classifier(tiny, hypothesisTemplate=TEMPLATE, multiLabel=True, dtype="bfloat16")
    stage.save(path)
    stage.setLabels(["x", "y"]).write().overwrite().save(path)
    loaded = zs.ZeroShotClassifier.load(path)
    assert (loaded.uid, loaded.getModel()) == (stage.uid, str(tiny))
    assert loaded.explainParams() == stage.explainParams()
    with pytest.raises(Exception, match=r"(?i)already.exists"):
        stage.write().save(path)

    for arguments in ({"labels": DESCRIBED}, {"task": TASK}):
        path = str(tmp_path / "described")
        stage = zs.ZeroShotClassifier(inputCol="text", model=tiny, **arguments)
        stage.write().overwrite().save(path)
        loaded = zs.ZeroShotClassifier.load(path)
        assert loaded.explainParams() == stage.explainParams()
        assert loaded._zero_shot() == stage._zero_shot()
        assert loaded._zero_shot().descriptions == tuple(DESCRIBED.values())

    path = str(tmp_path / "nli")
    nli = zs.NLIScorer(premiseCol="p", hypothesisCol="h", outputCol="o")
    nli.write().overwrite().save(path)
    assert zs.NLIScorer.load(path).explainParams() == nli.explainParams()


def test_pipeline_is_saved_and_loaded(spark, frame, tiny, tmp_path):
    stages = [
        zs.ZeroShotClassifier(inputCol="text", task=TASK, model=tiny),
        IndexToString(inputCol="prediction", outputCol="name"),
    ]
    pipeline, path = Pipeline(stages=stages), str(tmp_path / "pipeline")
    texts = frame.where("length(trim(text)) > 3")
    expected = pipeline.fit(texts).transform(texts).select("i", "name").collect()
    for _ in range(2):
        pipeline.write().overwrite().save(path)
    loaded = Pipeline.load(path)
    assert [stage.uid for stage in loaded.getStages()] == [stage.uid for stage in stages]
    fitted = loaded.fit(texts)
    fitted.write().overwrite().save(path)
    again = PipelineModel.load(path).transform(texts).select("i", "name").collect()
    assert sorted(again) == sorted(expected)
    assert expected


def test_params(tiny):
    stage = classifier(tiny)
    other = stage.copy({stage.multiLabel: True}).setInputCol("body")
    assert (stage.getMultiLabel(), stage.getInputCol()) == (False, "text")
    assert (other.getMultiLabel(), other.getInputCol()) == (True, "body")
    assert other.getLabels() == LABELS
    explained = stage.explainParams()
    for param in ("labels", "multiLabel", "model", "dtype", "predictedLabelCol"):
        assert f"{param}: " in explained
    with pytest.raises(TypeError):
        zs.ZeroShotClassifier("text")


def test_a_task_says_what_the_other_params_would():
    stage = zs.ZeroShotClassifier(inputCol="text", task=TASK)
    assert stage.getTask() == TASK
    assert (stage.getLabels(), stage.getHypothesisTemplate(), stage.getMultiLabel()) == (
        LABELS,
        TEMPLATE,
        True,
    )
    assert "task: " in stage.explainParams()
    other = stage.copy({stage.task: ZeroShot(["x"])})
    assert (stage.getLabels(), other.getLabels()) == (LABELS, ["x"])
    for change in (
        lambda: stage.setLabels(["x"]),
        lambda: stage.setHypothesisTemplate("{}"),
        lambda: stage.setMultiLabel(True),
        lambda: stage.copy({stage.labels: ["x"]}),
        lambda: zs.ZeroShotClassifier(labels=["x"]).setTask(TASK),
        lambda: zs.ZeroShotClassifier(labels=["x"], task=TASK),
    ):
        with pytest.raises(ValueError, match=r"task, .*: a task has these itself"):
            change()
    assert stage.getTask() == TASK
    other = zs.ZeroShotClassifier(labels=["x"])
    with pytest.raises(ValueError, match=r"task, labels: a task has these itself"):
        other.set(other.task, TASK)
    other.set(other.labels, ["y"])
    assert (other.getLabels(), other.copy().getLabels()) == (["y"], ["y"])
    stage.clear(stage.task)
    assert stage.setLabels({"x": "an x"}).getLabels() == ["x"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": ["a", "a"]}, ValueError, "labels: .*more than once"),
        ({"labels": "a,b"}, TypeError, "labels='a,b'"),
        ({"hypothesisTemplate": "no place"}, ValueError, "hypothesis_template='no place'"),
        ({"multiLabel": "yes"}, TypeError, "multiLabel"),
        ({"labels": {"a": " "}}, ValueError, "descriptions: ' ' is blank"),
        ({"task": ["a"]}, TypeError, r"task=\['a'\]: pass a task"),
        ({"task": "glue/sst2"}, ValueError, "task='glue/sst2': .*pass a task"),
        ({"task": NLI()}, TypeError, r"task=NLI\(.*\): pass a task"),
        ({"task": ZeroShotScores(["a"])}, TypeError, "pass a task"),
        ({"model": ""}, TypeError, "model=''"),
        ({"dtype": "int8"}, ValueError, "dtype='int8'"),
        ({"inputCol": 3}, TypeError, "inputCol"),
    ],
)
def test_wrong_params_fail_when_set(arguments, error, message):
    with pytest.raises(error, match=message):
        zs.ZeroShotClassifier(**arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputCol": None}, "inputCol: not set; .*setInputCol"),
        ({"labels": None}, "labels: not set; .*setLabels"),
        ({"predictionCol": "text"}, "predictionCol='text': .*already exists"),
        ({"predictedLabelCol": "probability"}, "='probability': .*already exists"),
        ({"predictionCol": "Text"}, "predictionCol='Text': .*already exists"),
        ({"predictedLabelCol": "Prediction"}, "='prediction': .*already exists"),
        ({"predictionCol": "", "probabilityCol": ""}, "at least one output"),
    ],
)
def test_wrong_stages_fail_before_any_job(spark, frame, change, message):
    arguments = {"inputCol": "text", "labels": ["a"], "model": "starter", **change}
    with pytest.raises(ValueError, match=message):
        zs.ZeroShotClassifier(**arguments).transform(frame)
