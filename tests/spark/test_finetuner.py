"""The fine-tuning Estimator, in one process and on TorchDistributor, against pandas."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
import torch
from labelled_toy import QUICK, toy
from pyspark.ml import Pipeline, PipelineModel
from run_job import run_job
from sessions import connect_cluster, connect_mode, connect_session

import sparknlp_zs  # noqa: F401  (registers .zsc)
from sparknlp_zs import spark as zs
from sparknlp_zs.spark.distributed import BASE_MODEL
from sparknlp_zs.training import Finetuned, finetune

pytest.importorskip("accelerate")
PARAMS = {"learningRate": 3e-3, "maxLength": 32, "batchSize": 7, "maxSteps": 6}
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def expected(tiny, tmp_path_factory) -> Finetuned:
    """The same training from pandas."""
    folder = tmp_path_factory.mktemp("pandas")
    frame = pd.concat([toy(), pd.DataFrame([("a", None), ("", "travel")], columns=toy().columns)])
    return finetune(frame, output=folder, model=tiny, max_steps=6, **QUICK)


def labelled(spark):
    pairs = [*toy().itertuples(index=False, name=None), ("a", None), ("", "travel")]
    return spark.createDataFrame(pairs, "text string, label string").repartition(3)


def assert_scores(labels, model, expected):
    """The model scores as the one that was trained from pandas."""
    texts = toy()["text"]
    pd.testing.assert_frame_equal(
        texts.zsc.scores(labels, model=model),
        texts.zsc.scores(expected.labels, model=expected.folder),
        atol=1e-3,
    )


def test_pipeline(spark, tiny, tmp_path, expected):
    """The fitted pipeline scores as the pandas training does, also after save and load."""
    rows = labelled(spark)
    tuner = zs.FineTuner(
        inputCol="text",
        outputPath=tmp_path / "model",
        model=tiny,
        predictedLabelCol="found",
        **PARAMS,
    )
    fitted = Pipeline(stages=[tuner]).fit(rows)
    tuned = Finetuned.read(tmp_path / "model")
    assert tuned.fingerprint == expected.fingerprint
    assert tuned.metrics["dropped"] == 2
    fitted.write().overwrite().save(str(tmp_path / "pipeline"))
    loaded = PipelineModel.load(str(tmp_path / "pipeline"))
    scores = toy()["text"].zsc.scores(expected.labels, model=expected.folder)
    by_text = dict(zip(toy()["text"], scores.to_numpy(), strict=True))
    found = loaded.transform(rows.dropna().filter("text <> ''")).collect()
    assert len(found) == len(toy())
    for row in found:
        assert list(row["probability"]) == pytest.approx(by_text[row["text"]].tolist(), abs=1e-3)
        assert row["found"] == expected.labels[int(row["prediction"])]


def test_the_unfitted_estimator_is_saved(spark, tiny, tmp_path):
    tuner = zs.FineTuner(
        inputCol="text",
        labelCol="y",
        outputPath=str(tmp_path / "model"),
        labels=["b", "a"],
        seed=3,
        validation=0.2,
        patience=2,
        **PARAMS,
    )
    tuner.write().overwrite().save(str(tmp_path / "tuner"))
    loaded = zs.FineTuner.load(str(tmp_path / "tuner"))
    assert {p.name: v for p, v in loaded.extractParamMap().items()} == {
        p.name: v for p, v in tuner.extractParamMap().items()
    }


def test_two_processes(spark, tiny, tmp_path, expected, monkeypatch):
    """TorchDistributor's processes give the model of one."""
    paths = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    monkeypatch.setenv("PYTHONPATH", paths)
    classifier = zs.finetune(
        labelled(spark),
        output=tmp_path,
        model=tiny,
        num_processes=2,
        max_steps=6,
        **QUICK,
    )
    tuned = Finetuned.read(tmp_path)
    assert tuned.fingerprint == expected.fingerprint
    assert tuned.metrics["train_loss"] == pytest.approx(expected.metrics["train_loss"], abs=1e-4)
    assert classifier.getLabels() == list(expected.labels)
    assert classifier.getModel() == str(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"config.json", "model.safetensors"}
    assert not list(tmp_path.glob(".seen_*"))
    assert_scores(tuned.labels, tuned.folder, expected)


def test_two_processes_on_executors(tiny, tmp_path, expected):
    """With localMode=False too, and the model and output on a folder that executors share."""
    settings = {"max_steps": 6, **QUICK}
    output = tmp_path / "model"
    found = run_job("finetune", tmp_path, model=str(tiny), output=str(output), settings=settings)
    assert found["labels"] == list(expected.labels)
    loss = expected.metrics["train_loss"]
    assert found["metrics"]["train_loss"] == pytest.approx(loss, abs=1e-4)
    assert_scores(found["labels"], output, expected)
    assert not list(output.glob(".seen_*"))


def test_two_processes_on_executors_of_a_connect_server(tiny, tmp_path, expected):
    """The same from a client, whose server has the two executors."""
    output = tmp_path / "model"
    with connect_cluster(tmp_path) as spark, connect_mode():
        classifier = zs.finetune(
            labelled(spark),
            output=output,
            model=tiny,
            num_processes=2,
            local_mode=False,
            max_steps=6,
            **QUICK,
        )
    tuned = Finetuned.read(output)
    assert tuned.fingerprint == expected.fingerprint
    assert tuned.metrics["train_loss"] == pytest.approx(expected.metrics["train_loss"], abs=1e-4)
    assert classifier.getLabels() == list(expected.labels)
    assert_scores(tuned.labels, output, expected)
    assert not list(output.glob(".seen_*"))
    assert not (output / BASE_MODEL).exists()


def test_the_training_runs_on_the_server_of_its_rows(connect, server, tiny, tmp_path, monkeypatch):
    """Not on that of Spark's active session, which is the first one."""

    ran_in = []
    monkeypatch.setattr(
        "pyspark.ml.torch.distributor.TorchDistributor.run",
        lambda distributor, *args: ran_in.append(distributor.spark),
    )
    active = type(connect).active()
    with connect_session(server) as other, connect_mode():
        for session in (connect, other):
            with pytest.raises(FileNotFoundError):  # nothing was trained
                zs.finetune(
                    labelled(session),
                    output=tmp_path,
                    model=tiny,
                    num_processes=2,
                    local_mode=False,
                )
        assert ran_in == [connect, other]
        assert type(connect).active() is active


def test_integer_labels_with_nulls(classic, tiny, tmp_path):
    """pandas would make floats of them, in which these two are one."""
    large = [2**53, 2**53 + 1]
    rows = [(text, large[at % 2]) for at, text in enumerate(toy(4)["text"])] + [("none", None)]
    frame = classic.createDataFrame(rows, "text string, label bigint")
    arguments = {"inputCol": "text", "model": tiny, "style": "head", **PARAMS, "maxSteps": 1}
    zs.FineTuner(outputPath=tmp_path / "found", **arguments).fit(frame)
    assert Finetuned.read(tmp_path / "found").labels == tuple(large)
    tuner = zs.FineTuner(outputPath=tmp_path / "given", labels=[*large[::-1], 7], **arguments)
    assert tuner.copy().getLabels() == [*large[::-1], 7]
    tuner.fit(frame)
    assert Finetuned.read(tmp_path / "given").labels == (*large[::-1], 7)


def test_validation_rows_and_a_head(classic, tiny, tmp_path):
    """Rows are marked for validation; the head's stage is another."""
    stage = pytest.importorskip("sparknlp_zs.spark.classifier_stage")
    frame = toy().assign(held=[at % 4 == 0 for at in range(len(toy()))])
    rows = classic.createDataFrame(frame)
    tuner = zs.FineTuner(
        inputCol="text",
        outputPath=tmp_path,
        model=tiny,
        style="head",
        validationIndicatorCol="held",
        predictedLabelCol="found",
        **{**PARAMS, "maxSteps": 40},
    )
    classifier = tuner.fit(rows)
    assert isinstance(classifier, stage.TextClassifier)
    metrics = Finetuned.read(tmp_path).metrics
    assert (metrics["rows"], metrics["validation_rows"]) == (54, 18)
    found = classifier.transform(rows).filter("found = label").count()
    assert found / len(toy()) > 0.8


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"text": "body"}, ValueError, "inputCol='body'"),
        ({"label": "y"}, ValueError, "labelCol='y'"),
        ({"text": "number"}, TypeError, "a column of bigint"),
        ({"style": "tail"}, (TypeError, ValueError), "style='tail'"),
        ({"num_processes": 0}, (TypeError, ValueError), "numProcesses=0"),
        ({"epochs": -1.0}, (TypeError, ValueError), "epochs=-1.0"),
        ({"labels": ["travel", "cooking"]}, ValueError, "politics"),
        ({"steps": 3}, TypeError, "steps"),
        ({"validation": 0.1, "validation_indicator_col": "number"}, ValueError, "use one of them"),
        ({"patience": 1}, ValueError, "patience=1"),
        ({"validation_indicator_col": "number"}, TypeError, "Col='number': a column of bigint"),
        ({"output": "s3://a/b"}, ValueError, "outputPath='s3://a/b': a URI; pass a path"),
        ({"label": "text"}, ValueError, "labelCol='text': the column of inputCol too"),
    ],
)
def test_errors_on_the_driver(classic, tiny, tmp_path, monkeypatch, changes, error, message):
    def trained(*args, **kwargs):
        raise AssertionError("a training began")

    monkeypatch.setattr("sparknlp_zs.spark.finetuner.train", trained)
    rows = classic.createDataFrame(toy(2).assign(number=range(6)))
    with pytest.raises(error, match=message):
        zs.finetune(rows, **{"output": tmp_path / "out", "model": tiny, **changes})
    assert not (tmp_path / "out").exists()


def test_columns_with_dots(classic, tiny, tmp_path):
    rows = classic.createDataFrame(toy(2)).toDF("a.text", "a.label")
    names = {"text": "a.text", "label": "a.label"}
    fitted = zs.finetune(rows, **names, output=tmp_path, model=tiny, max_steps=1)
    assert fitted.transform(rows).where("probability is not null").count() == rows.count()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["text", "label", "text"], "inputCol='text': more than one column has this name"),
        (["text", "label", "LABEL"], r"labelCol='label': .*\['label', 'LABEL'\]; rename them"),
    ],
)
def test_several_columns_of_one_name(spark, tiny, tmp_path, names, message):
    rows = spark.createDataFrame([("a", "b", "c")]).toDF(*names)
    with pytest.raises(ValueError, match=message):
        zs.finetune(rows, output=tmp_path / "out", model=tiny)
