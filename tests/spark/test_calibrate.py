"""Calibration in Spark: the biases are those of pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sparknlp_zs import spark as zs
from sparknlp_zs.models import ModelNotFoundError

LABELS = ["travel", "Travel", "the quick.brown fox"]  # no names that Spark would keep apart
TEXTS = [f"My card {i} was stolen {'yesterday' * (i % 3)} fox {i * 7 % 11}" for i in range(60)]
MIXED = [None, "", *TEXTS, " \n", " "]


@pytest.fixture
def frame(spark):
    return spark.createDataFrame([(text,) for text in MIXED], "text string").repartition(3)


@pytest.mark.parametrize("multi_label", [False, True])
def test_same_biases_as_pandas(frame, tiny, multi_label):
    task = zs.ZeroShot(LABELS, "Is it {}?", multi_label)
    options = {"model": tiny}
    if multi_label:
        options["prior"] = dict(zip(LABELS, (0.5, 0.1, 0.7), strict=True))
    expected = pd.Series(MIXED).zsc.calibrate(task, **options)
    found = zs.calibrate(frame, "text", task, **options)
    assert found.labels == task.labels
    np.testing.assert_allclose(found.label_bias, expected.label_bias, atol=1e-6)


def test_calibrated_task_in_a_column(frame, tiny):
    """The workers get the biases with the task."""
    task = zs.ZeroShotScores(LABELS[1:], label_bias=(3.0, -2.0))
    column = zs.annotate("text", scores=task, model=tiny).alias("a")
    found = {row["text"]: row["a"] for row in frame.select("text", column).collect()}
    expected = pd.Series(TEXTS).zsc.annotate(scores=task, model=tiny)
    assert found[""] is None
    values = [list(found[text]["scores"]) for text in TEXTS]
    np.testing.assert_allclose(values, expected.to_numpy(), atol=1e-6)


def test_sample_is_drawn_by_its_seed(spark, tiny):
    task = zs.ZeroShot(LABELS)
    # No shuffle, after which rows may come in another order.
    some = spark.createDataFrame([(text,) for text in MIXED], "text string").coalesce(1)
    drawn = [
        zs.calibrate(some, "text", task, model=tiny, sample_rows=20, seed=seed).label_bias
        for seed in (0, 0, 1)
    ]
    np.testing.assert_allclose(drawn[0], drawn[1], atol=1e-6)
    assert np.abs(np.subtract(drawn[0], drawn[2])).max() > 1e-5


def test_errors(spark, frame, tiny):
    from pyspark.errors import AnalysisException

    task = zs.ZeroShot(LABELS)
    with pytest.raises(TypeError, match="pass a ZeroShot"):
        zs.calibrate(frame, "text", LABELS, model=tiny)
    with pytest.raises(ValueError, match="prior: no share"):
        zs.calibrate(frame, "text", task, model=tiny, prior={"travel": 1.0})
    with pytest.raises(ValueError, match="sample_rows=1"):
        zs.calibrate(frame, "text", task, model=tiny, sample_rows=1)
    with pytest.raises(ModelNotFoundError):
        zs.calibrate(frame, "text", task, model="/no/such/model")
    with pytest.raises(AnalysisException):
        zs.calibrate(frame, "other", task, model=tiny)
    with pytest.raises(ValueError, match="0 texts that are neither missing nor blank"):
        zs.calibrate(frame.where("trim(text) = ''"), "text", task, model=tiny)
    with pytest.raises(ValueError, match="a streaming DataFrame"):
        zs.calibrate(spark.readStream.format("rate").load(), "value", task, model=tiny)
