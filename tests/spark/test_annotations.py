"""AnnotationClassifier: Spark NLP's schema in and out, one annotation per sentence, in order."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.sql import functions as F
from surface_rows import ROWS

from sparknlp_zs import spark as zs
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.models import ModelSpec
from sparknlp_zs.spark.annotations import ANNOTATIONS
from sparknlp_zs.tasks import ZeroShot

LABELS = ["travel", "cooking", "a.b, `c`"]
TEMPLATE = "Über {}?"


def annotation(text, at, metadata, kind="document"):
    return (kind, at * 100, at * 100 + len(text or "") - 1, text, metadata, [])


def sentences(texts):
    """As a SentenceDetector gives them: all of a text's sentences in one array."""
    return [annotation(text, i, {"sentence": str(i), "other": "x"}) for i, text in enumerate(texts)]


DOCUMENTS = [
    sentences(ROWS[:7]),
    None,
    [],
    sentences(["the fox"]),
    [annotation("the fox", 0, {}), None, annotation("travel", 1, None, "sentence")],
    [annotation("token", 0, {}, "token"), annotation("travel", 1, {})],
    [annotation("token", 0, {}, "token")],
    sentences(ROWS),
]


@pytest.fixture
def frame(spark):
    rows = [(i, document) for i, document in enumerate(DOCUMENTS)]
    return spark.createDataFrame(rows, f"i int, document {ANNOTATIONS}").repartition(3)


def classifier(tiny, **change):
    given = {"inputCols": ["document"], "outputCol": "class", "labels": LABELS, "model": tiny}
    return zs.AnnotationClassifier(**{**given, **change})


def in_order(df, name="class"):
    rows = {row["i"]: row[name] for row in df.collect()}
    assert sorted(rows) == list(range(len(DOCUMENTS)))
    return [rows[i] for i in range(len(DOCUMENTS))]


@pytest.mark.parametrize("multi_label", [False, True])
def test_one_annotation_per_sentence(spark, frame, tiny, multi_label):
    described = {label: f"about {label}" for label in LABELS}
    task, scorer = ZeroShot(described, TEMPLATE, multi_label), load_scorer(tiny)
    options = {"labels": described, "hypothesisTemplate": TEMPLATE, "multiLabel": False}
    # One of the two ways to say it for each.
    stage = classifier(tiny, **({"labels": None, "task": task} if multi_label else options))
    for found, given in zip(in_order(stage.transform(frame)), DOCUMENTS, strict=True):
        if given is None:
            assert found is None
            continue
        kept = [x for x in given if x is None or x[0] != "token"]
        texts = pa.array([x and x[3] for x in kept], pa.string())
        scored = scorer.score(task, [texts]).to_pylist()
        assert len(found) == len(kept)
        for at, (new, old, score) in enumerate(zip(found, kept, scored, strict=True)):
            if old is None:
                assert new is None
                continue
            assert (new["annotatorType"], new["begin"], new["end"]) == ("category", *old[1:3])
            assert new["embeddings"] == []
            metadata = dict(new["metadata"])
            assert metadata.pop("sentence") == (old[4] or {}).get("sentence", str(at))
            scores = dict(zip(score["labels"], score["scores"], strict=True)) if score else {}
            assert new["result"] == (score and score["label"])
            assert {k: float(v) for k, v in metadata.items()} == pytest.approx(scores, abs=1e-6)


def test_prefilter(spark, frame, tiny_models, monkeypatch):
    """A task that needs an encoder brings the default one along."""
    tiny, encoder = tiny_models["bert"], tiny_models["distilbert"]
    monkeypatch.setattr("sparknlp_zs.embedders.default_embedder", lambda: encoder)
    task = ZeroShot(LABELS, prefilter=2)
    stage = classifier(tiny, labels=None, task=task)
    found = in_order(stage.transform(frame))[-1]
    model = ModelSpec(str(tiny), embedder=str(encoder))
    expected = pd.Series(ROWS).zsc.classify(task, model=model)["label"]
    assert [x["result"] for x in found] == [None if pd.isna(x) else x for x in expected]


def test_schema_is_that_of_spark_nlp(spark, frame, tiny, capsys):
    out = classifier(tiny).transform(frame)
    assert out.columns == ["i", "document", "class"]
    assert out.schema["class"].dataType.simpleString() == ANNOTATIONS
    assert out.schema["class"].metadata == {"annotatorType": "category"}
    out.where("class[0].result = 'travel'").explain()
    assert capsys.readouterr().out.count("EvalPython") == 1


def test_pipeline_is_saved_and_loaded(spark, frame, tiny, tmp_path):
    stages = [classifier(tiny), classifier(tiny, outputCol="again", labels=["x", "y"])]
    expected = Pipeline(stages=stages).fit(frame).transform(frame)
    for _ in range(2):
        Pipeline(stages=stages).write().overwrite().save(str(tmp_path / "p"))
    loaded = Pipeline.load(str(tmp_path / "p"))
    assert [x.explainParams() for x in loaded.getStages()] == [x.explainParams() for x in stages]
    loaded.fit(frame).write().overwrite().save(str(tmp_path / "m"))
    again = PipelineModel.load(str(tmp_path / "m")).transform(frame)
    for name in ("class.result", "again.result"):
        columns = (df.select("i", F.col(name).alias("found")) for df in (again, expected))
        found, wanted = (in_order(df, "found") for df in columns)
        assert found == wanted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputCols": None}, "inputCols: not set; .*setInputCols"),
        ({"inputCols": ["document", "i"]}, "name one column"),
        ({"inputCols": ["nope"]}, "no such column; the columns are"),
        ({"inputCols": ["i"]}, "int is no column of annotations"),
        ({"inputCols": ["class"]}, "annotations of type 'category'"),
        ({"outputCol": "document"}, "outputCol='document': .*already exists"),
        ({"labels": ["sentence"]}, "labels: 'sentence' is where"),
    ],
)
def test_wrong_stages_fail_before_any_job(spark, frame, tiny, change, message):
    if change.get("inputCols") == ["class"]:
        frame, change = classifier(tiny).transform(frame), {**change, "outputCol": "c"}
    with pytest.raises(ValueError, match=message):
        classifier(tiny, **change).transform(frame)
