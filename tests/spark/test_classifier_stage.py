"""TextClassifier: the engine's scores, Spark ML's conventions, persistence."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import IndexToString
from surface_rows import ROWS
from surfaces import assert_same, collected, frame
from tiny_models import make_model

from sparknlp_zs import spark as zs
from sparknlp_zs.classifiers import read_classifier
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import ClassifierScores

# Names that a struct's fields could not tell apart, or that need quoting.
CLASSES = ("sad", "Sad", "a.b, `c`", "{glad}", "neutral")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_model("bert", tmp_path_factory.mktemp("classes") / "bert", CLASSES)


def stage(folder, **arguments):
    return zs.TextClassifier(inputCol="text", model=folder, **arguments)


def expected(folder):
    """Prediction, probabilities and label of each row, by the engine."""
    task = ClassifierScores(CLASSES)
    rows = load_scorer(folder).score(task, [pa.array(ROWS)]).to_pylist()
    names = [max(row, key=row.get) if row else None for row in rows]
    assert len(set(names)) > 2
    return [
        [float(CLASSES.index(name)), list(row.values()), name] if row else [None] * 3
        for row, name in zip(rows, names, strict=True)
    ]


def test_outputs_equal_the_engine(spark, folder, capsys):
    rows = frame(spark)
    out = stage(folder, predictedLabelCol="label").transform(rows)
    assert out.columns == [*rows.columns, "prediction", "probability", "label"]
    assert_same(collected(out, "prediction", "probability", "label"), expected(folder))
    out.where("prediction >= 0").explain()
    assert capsys.readouterr().out.count("ArrowEvalPython") == 1
    named = stage(folder, predictionCol="", probabilityCol="p", predictedLabelCol="l")
    assert named.transform(rows).columns == [*rows.columns, "p", "l"]


def test_evaluator_and_index_to_string(spark, folder):
    scored = stage(folder, predictedLabelCol="best").transform(frame(spark))
    scored = scored.dropna(subset=["prediction"])
    named = IndexToString(inputCol="prediction", outputCol="name").transform(scored)
    assert named.where("name != best").count() == 0
    truth = scored.selectExpr("prediction", "probability", "prediction AS label")
    assert MulticlassClassificationEvaluator(metricName="accuracy").evaluate(truth) == 1.0
    loss = MulticlassClassificationEvaluator(metricName="logLoss").evaluate(truth)
    ranked = load_scorer(folder).score(read_classifier(folder), [pa.array(ROWS)])
    best = ranked.drop_null().field("score")
    assert loss == pytest.approx(-sum(pa.compute.ln(best).to_pylist()) / len(best), abs=1e-6)


def test_persistence_in_a_pipeline(spark, folder, tmp_path):
    path, own = str(tmp_path / "pipeline"), str(tmp_path / "stage")
    first = stage(folder, dtype="bfloat16", predictedLabelCol="best")
    for _ in range(2):
        first.write().overwrite().save(own)
    loaded = zs.TextClassifier.load(own)
    assert (loaded.uid, loaded.getModel()) == (first.uid, str(folder))
    assert loaded.explainParams() == first.explainParams()

    to_name = IndexToString(inputCol="prediction", outputCol="name")
    pipeline, rows = Pipeline(stages=[stage(folder), to_name]), frame(spark)
    texts = rows.where("length(trim(text)) > 3")
    before = pipeline.fit(texts).transform(texts).select("i", "name").collect()
    pipeline.write().overwrite().save(path)
    fitted = Pipeline.load(path).fit(texts)
    fitted.write().overwrite().save(path)
    again = PipelineModel.load(path).transform(texts).select("i", "name").collect()
    assert sorted(again) == sorted(before)
    assert before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "model: not set"),
        ({"model": "starter"}, "an NLI model"),
        ({"predictionCol": "text"}, "'text': such a column already exists"),
        ({"predictionCol": "", "probabilityCol": ""}, "at least one output"),
    ],
)
def test_wrong_stages_fail_before_any_job(classic, folder, arguments, message):
    given = arguments if "model" in arguments or not arguments else {"model": folder, **arguments}
    with pytest.raises(ValueError, match=message):
        zs.TextClassifier(inputCol="text", **given).transform(frame(classic))


def test_wrong_params_fail_when_set():
    with pytest.raises(TypeError, match="model=3"):
        zs.TextClassifier(model=3)
    with pytest.raises(ValueError, match="dtype='float8'"):
        zs.TextClassifier(dtype="float8")
    with pytest.raises(ValueError, match="inputCol: not set"):
        zs.TextClassifier(model="any").transform(None)
